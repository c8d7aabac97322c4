import type { ProjectionAdvance } from '../progress.port.js';
import { Announcements } from './announcements.js';

describe('Announcements', () => {
  it('gathers what comes while one is under way', async () => {
    const made: ProjectionAdvance[] = [];
    let answer: () => void = () => undefined;
    const announcements = new Announcements((advance) => {
      made.push(advance);
      return new Promise((resolve) => (answer = resolve));
    });
    announcements.tell({ position: 1, corrected: [] });
    announcements.tell({ position: 2, corrected: [7] });
    announcements.tell({ position: 3, corrected: [8] });
    expect(made).toEqual([{ position: 1, corrected: [] }]);
    answer();
    const closed = announcements.close();
    while (made.length < 2) await new Promise((turn) => setImmediate(turn));
    answer();
    await closed;
    expect(made[1]).toEqual({ position: 3, corrected: [7, 8] });
  });

  it('makes one that failed again, together with what came since', async () => {
    const made: ProjectionAdvance[] = [];
    let broken = true;
    const announcements = new Announcements(async (advance) => {
      if (broken) throw new Error('no connection');
      made.push(advance);
    });
    announcements.tell({ position: 1, corrected: [1] });
    await new Promise((turn) => setImmediate(turn));
    broken = false;
    announcements.tell({ position: 2, corrected: [2] });
    await announcements.close();
    expect(made).toEqual([{ position: 2, corrected: [1, 2] }]);
  });

  it('ends when it is closed, whether it could announce or not', async () => {
    const announcements = new Announcements(() => Promise.reject(new Error('no connection')));
    announcements.tell({ position: 1, corrected: [] });
    await expect(announcements.close()).resolves.toBeUndefined();
  });
});
