import * as fc from 'fast-check';
import { recordedBy } from '../event-store.contract.js';
import type { StoredEvent } from '../event-store.port.js';
import { InstantIndex } from './instant-index.js';

describe('InstantIndex', () => {
  it('answers as the port counts, while the log grows and whatever the clock did', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(30), { maxLength: 8 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (growth, eventsAMark) => {
          const log: StoredEvent[] = [];
          const index = new InstantIndex(async function* (after) {
            yield log.filter(({ position }) => position > after);
          }, eventsAMark);
          for (const instants of growth) {
            for (const recordedAtMs of instants)
              log.push({ position: (log.at(-1)?.position ?? 0) + 7, recordedAtMs } as StoredEvent);
            for (let instant = -1; instant <= 31; instant += 4)
              expect(await index.recordedBy(instant)).toBe(recordedBy(log, instant));
          }
        },
      ),
    );
  });

  it('reads every event once, and for a question no more than lies between two marks', async () => {
    let read = 0;
    const index = new InstantIndex(async function* (after) {
      for (let position = after + 1; position <= 100; position++) {
        read += 1;
        yield [{ position, recordedAtMs: position }];
      }
    }, 10);
    expect(await index.recordedBy(500)).toBe(100);
    expect(read).toBe(100);
    expect(await index.recordedBy(55)).toBe(55);
    expect(read).toBeLessThanOrEqual(111);
  });
});
