import { streamId, type StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { HubError } from '#libs/kernel';
import { randomUUID } from 'node:crypto';
import { packEvents } from './hand-over.js';
import { LogFollower, type LogReader } from './log-follower.js';

describe('LogFollower', () => {
  let store: MemoryEventStore;
  let appended: StoredEvent[];
  let reads: number;
  let followers: LogFollower[];

  beforeEach(() => {
    store = new MemoryEventStore();
    appended = [];
    reads = 0;
    followers = [];
    store.onAppended((events) => appended.push(...events));
  });

  afterEach(async () => {
    for (const follower of followers) await follower.stop();
  });

  const append = async (count: number) => {
    for (let i = 0; i < count; i++)
      await store.append(
        streamId('interaction', randomUUID()),
        [{ id: randomUUID(), type: 'NoteTaken', schema: 1, tenant: 't', data: { n: i } }],
        'no_stream',
      );
  };

  const follow = (failOnce = false) => {
    const seen: StoredEvent[] = [];
    let fail = failOnce;
    const reader: LogReader = {
      checkpoint: async () => seen.at(-1)?.position ?? 0,
      apply: async (events) => {
        if (fail) {
          fail = false;
          throw new HubError('BUSY', 'not now', { retryable: true });
        }
        seen.push(...events);
      },
    };
    const log = {
      read: store.read.bind(store),
      head: store.head.bind(store),
      readAll: (options: Parameters<typeof store.readAll>[0]) => {
        reads += 1;
        return store.readAll(options);
      },
    };
    const follower = new LogFollower(log, [reader]);
    followers.push(follower);
    return { seen, follower };
  };

  const handOver = (after: number, through: number) => ({
    after,
    through,
    packs: [packEvents(appended.filter(({ position }) => position > after && position <= through))],
  });

  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise(setImmediate);
  };

  it('takes what is handed over and reads nothing', async () => {
    const { seen, follower } = follow();
    await new Promise(setImmediate);
    await append(5);
    follower.offer(handOver(0, 3));
    follower.offer(handOver(3, 5));
    await until(() => seen.length === 5);
    expect(seen).toEqual(appended);
    expect(reads).toBe(0);
  });

  it('reads what lies between, passes over what it has', async () => {
    await append(6);
    const { seen, follower } = follow();
    follower.offer(handOver(4, 5));
    await until(() => seen.length === 6);
    follower.offer(handOver(3, 6));
    await append(4);
    follower.wake(7);
    await until(() => seen.length >= 7);
    follower.offer(handOver(5, 9));
    follower.offer(handOver(9, 10));
    await until(() => seen.length === 10);
    expect(seen.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('reads from the log what was handed over and could not be applied', async () => {
    const { seen, follower } = follow(true);
    await new Promise(setImmediate);
    await append(3);
    follower.offer(handOver(0, 3));
    await until(() => seen.length === 3);
    expect(seen).toEqual(appended);
  });
});
