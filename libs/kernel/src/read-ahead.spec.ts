import { readAhead } from './read-ahead.js';

describe('reading ahead', () => {
  let log: string[];
  beforeEach(() => (log = []));

  async function* batches(last: number, failsAt?: number): AsyncGenerator<number> {
    try {
      for (let n = 1; n <= last; n++) {
        log.push(`fetch ${n}`);
        if (n === failsAt) throw new Error(`no ${n}`);
        yield n;
      }
    } finally {
      log.push('closed');
    }
  }

  const workOn = async (source: AsyncIterable<number>, until = Number.POSITIVE_INFINITY): Promise<void> => {
    for await (const n of readAhead(source)) {
      log.push(`work ${n}`);
      if (n === until) return;
    }
  };

  it('fetches one batch while the one before it is worked on, in order, to the end', async () => {
    await workOn(batches(3));
    expect(log).toEqual(['fetch 1', 'fetch 2', 'work 1', 'fetch 3', 'work 2', 'closed', 'work 3']);
  });

  it('tells of a failure once the batch in front of it is worked on', async () => {
    await expect(workOn(batches(3, 2))).rejects.toThrow('no 2');
    expect(log).toContain('work 1');
  });

  it('closes the source when nobody wants more', async () => {
    await workOn(batches(9), 2);
    expect(log.at(-1)).toBe('closed');
    expect(log).not.toContain('fetch 4');
  });
});
