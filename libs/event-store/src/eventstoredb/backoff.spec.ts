import { backoffMs } from './backoff.js';

describe('backoffMs', () => {
  const waits = (random: number): number[] =>
    [1, 2, 3, 4, 5, 60].map((failures) => backoffMs({ initialMs: 50, maxMs: 300 }, failures, () => random));

  it('doubles up to its bound, half of it by chance', () => {
    expect(waits(1)).toEqual([50, 100, 200, 300, 300, 300]);
    expect(waits(0)).toEqual([25, 50, 100, 150, 150, 150]);
  });
});
