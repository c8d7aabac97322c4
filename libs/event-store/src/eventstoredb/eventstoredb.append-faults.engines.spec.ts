import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppendFault } from '#libs/testing/eventstoredb-fake/faults.js';
import {
  QUICK,
  endFaultyStore,
  fill,
  startFaultyStore,
  type FaultyStore,
} from '#libs/testing/eventstoredb-fake/faulty-store.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { collect, eventOf, newStream, until } from '../event-store.contract.js';
import { EventStoreDbEventStore } from './eventstoredb.event-store.js';

jest.setTimeout(30_000);
beforeAll(() => ranAgainst('EventStoreDB under faults: a fake'));

let faulty: FaultyStore;
let fake: FaultyStore['fake'];
let store: FaultyStore['store'];

const start = async (...how: Parameters<typeof startFaultyStore>): Promise<void> => {
  faulty = await startFaultyStore(...how);
  ({ fake, store } = faulty);
};
afterEach(() => endFaultyStore(faulty));

describe.each([{ alone: false }, { alone: true }])(
  'an append whose outcome is unknown (alone: $alone)',
  ({ alone }) => {
    beforeEach(() => start({}, { alone }));

    it.each<{ faults: AppendFault[] }>([
      { faults: ['lost reply'] },
      { faults: ['lost request'] },
      { faults: ['timeout after writing'] },
      { faults: ['cancelled'] },
      { faults: ['unknown'] },
      { faults: ['busy', 'busy', 'busy'] },
      { faults: ['lost reply', 'busy', 'timeout after writing', 'lost request'] },
    ])('is sent again until it is stored once: $faults', async ({ faults }) => {
      fake.faults.appends.push(...faults);
      const stream = newStream();
      const events = [eventOf('A'), eventOf('B')];
      const receipt = await store.append(stream, events, 'no_stream');
      const stored = await store.read(stream);
      expect(stored.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      expect(receipt).toEqual({ position: stored[1]!.position, revision: 1 });
      expect(fake.arrivedAppends.length).toBeGreaterThan(1);
    });

    it('waits for the replication of the first sending, which hides the second', async () => {
      fake.log.holdReplication();
      const stream = newStream();
      const appended = store.append(stream, [eventOf()], 'no_stream');
      await until(() => fake.arrivedAppends.length >= 2);
      fake.log.replicate();
      const receipt = await appended;
      expect(await store.read(stream)).toMatchObject([{ position: receipt.position, revision: 0 }]);
    });

    it('conflicts when another writer was first', async () => {
      const stream = newStream();
      fake.faults.appends.push('lost request');
      const late = store.append(stream, [eventOf()], 'no_stream');
      const other = EventStoreDbEventStore.open({ url: fake.url(), ...QUICK });
      await until(() => fake.arrivedAppends.length === 1);
      await other.append(stream, [eventOf()], 'no_stream');
      await expect(late).rejects.toMatchObject({
        code: 'EVENT_STORE.REVISION_CONFLICT',
        facts: { stream, expected: 'no_stream', actual: 0 },
      });
      await other.close();
    });

    it('reads its position where the answer does not tell it', async () => {
      fake.faults.appends.push('no position');
      const stream = newStream();
      const receipt = await store.append(stream, [eventOf()], 'no_stream');
      expect(receipt.position).toBe((await store.read(stream))[0]!.position);
    });

    it('is given up when patience ends, and settled by the same call later', async () => {
      const hasty = EventStoreDbEventStore.open({
        url: fake.url(),
        ...QUICK,
        attemptTimeoutMs: 100,
        giveUpAfterMs: 250,
      });
      fake.faults.chooseAppend = () => 'lost reply';
      const stream = newStream();
      const events = [eventOf()];
      await expect(hasty.append(stream, events, 'no_stream')).rejects.toMatchObject({
        code: 'EVENT_STORE.UNAVAILABLE',
        retryable: true,
        facts: { stored: 'unknown' },
        message: expect.stringContaining('may be stored or not') as string,
      });
      fake.faults.chooseAppend = () => undefined;
      expect(await hasty.append(stream, events, 'no_stream')).toMatchObject({ revision: 0 });
      expect(await store.read(stream)).toHaveLength(1);
      await hasty.close();
    });
  },
);

describe('an append that is refused for good', () => {
  beforeEach(() => start());

  it('is sent once when access is denied', async () => {
    fake.faults.appends.push('access denied');
    await expect(store.append(newStream(), [eventOf()], 'no_stream')).rejects.toMatchObject({
      code: 'EVENT_STORE.ACCESS_DENIED',
      retryable: false,
    });
    expect(fake.arrivedAppends).toHaveLength(1);
  });

  it('is sent once to a stream that an operator has ended', async () => {
    const stream = newStream();
    fake.log.tombstone(stream);
    await expect(store.append(stream, [eventOf()], 'no_stream')).rejects.toMatchObject({ code: 'EVENT_STORE.FAILED' });
    await expect(store.read(stream)).rejects.toMatchObject({ code: 'EVENT_STORE.FAILED' });
    expect(fake.arrivedAppends).toHaveLength(1);
  });

  it('is not sent at all when it is larger than servers take', async () => {
    const large = eventOf('A', { text: 'x'.repeat(500 * 1024) });
    await expect(store.append(newStream(), [large, { ...large, id: randomUUID() }], 'no_stream')).rejects.toMatchObject(
      { code: 'EVENT_STORE.TOO_LARGE', retryable: false },
    );
    expect(fake.arrivedAppends).toHaveLength(0);
    expect(await store.append(newStream(), [large], 'no_stream')).toMatchObject({ revision: 0 });
  });
});

describe('appends side by side', () => {
  it('stay in order per stream, however long each takes', async () => {
    await start();
    fake.faults.chooseAppend = () => (Math.random() < 0.2 ? 'busy' : { slowMs: Math.random() * 20 });
    const streams = Array.from({ length: 8 }, newStream);
    const calls = streams.flatMap((stream) => Array.from({ length: 10 }, (_, i) => ({ stream, i, event: eventOf() })));
    await Promise.all(
      calls.map(({ stream, i, event }) => store.append(stream, [event], i === 0 ? 'no_stream' : i - 1)),
    );
    for (const stream of streams)
      expect((await store.read(stream)).map(({ id }) => id)).toEqual(
        calls.filter((call) => call.stream === stream).map(({ event }) => event.id),
      );
  });

  it('are bounded in number, and refused when too many wait', async () => {
    await start({ maxInFlight: 3, maxWaiting: 5 });
    fake.log.holdReplication();
    const taken = Array.from({ length: 8 }, () => store.append(newStream(), [eventOf()], 'no_stream'));
    await expect(store.append(newStream(), [eventOf()], 'no_stream')).rejects.toMatchObject({
      code: 'EVENT_STORE.UNAVAILABLE',
      retryable: true,
    });
    await until(() => fake.arrivedAppends.length >= 3);
    expect(new Set(fake.arrivedAppends).size).toBe(3);
    fake.log.replicate();
    expect(await Promise.all(taken)).toHaveLength(8);
  });

  it('are answered before the store is closed', async () => {
    await start();
    fake.faults.appends.push({ slowMs: 100 });
    const appended = store.append(newStream(), [eventOf()], 'no_stream');
    await store.close();
    expect(await Promise.race([appended, delay(0, 'still open')])).toMatchObject({ revision: 0 });
  });
});

describe('appends on one call', () => {
  it('go one by one for a while after the call has ended, and lose nothing', async () => {
    await start();
    await fill(store, 3);
    const before = fake.batchCalls;
    expect(before).toBe(1);
    fake.faults.appends.push('cancelled');
    expect(await fill(store, 20)).toHaveLength(23);
    expect(fake.batchCalls).toBe(before);
    await delay(1100);
    await fill(store, 1);
    expect(fake.batchCalls).toBe(before + 1);
  });

  it('end with a node that leads no more, and all of them come to the one that does', async () => {
    await start({}, { nodes: 2 });
    await fill(store, 1);
    fake.electLeader(1);
    expect(await fill(store, 30)).toHaveLength(31);
  });

  it('fail each for itself', async () => {
    await start();
    const taken = newStream();
    await store.append(taken, [eventOf()], 'no_stream');
    const answers = await Promise.allSettled([
      store.append(newStream(), [eventOf()], 'no_stream'),
      store.append(taken, [eventOf()], 'no_stream'),
      store.append(newStream(), [eventOf()], 4),
      store.append(taken, [eventOf()], 0),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: { code: 'EVENT_STORE.REVISION_CONFLICT', facts: { actual: 0 } } });
    expect(answers[2]).toMatchObject({
      reason: { code: 'EVENT_STORE.REVISION_CONFLICT', facts: { actual: 'no_stream' } },
    });
    expect(fake.batchCalls).toBe(1);
  });

  it('are made only where the address says so', async () => {
    await start();
    const unary = EventStoreDbEventStore.open({ url: fake.url(), ...QUICK });
    await Promise.all(Array.from({ length: 20 }, () => unary.append(newStream(), [eventOf()], 'no_stream')));
    expect(await collect(unary.readAll({ after: 0 }))).toHaveLength(20);
    expect(fake.batchCalls).toBe(0);
    await unary.close();
  });

  it('are taken one by one by a server that has no such call', async () => {
    await start();
    fake.takesBatches = false;
    expect(await fill(store, 20)).toHaveLength(20);
  });
});

describe('a server that answers nothing', () => {
  it('fails an append in time while it is frozen, and the same append settles later', async () => {
    await start({ giveUpAfterMs: 500 });
    const stream = newStream();
    const event = eventOf();
    await store.append(newStream(), [eventOf()], 'no_stream');
    fake.freeze();
    await expect(store.append(stream, [event], 'no_stream')).rejects.toMatchObject({ code: 'EVENT_STORE.UNAVAILABLE' });
    await expect(store.head()).rejects.toMatchObject({ code: 'EVENT_STORE.UNAVAILABLE', retryable: true });
    fake.thaw();
    await store.append(stream, [event], 'no_stream');
    expect(await store.read(stream)).toHaveLength(1);
  });

  it('fails an append in time while nobody can even say who leads', async () => {
    await start({ giveUpAfterMs: 300 }, { nodes: 2 });
    fake.freeze();
    const stream = newStream();
    const event = eventOf();
    await expect(store.append(stream, [event], 'no_stream')).rejects.toMatchObject({ code: 'EVENT_STORE.UNAVAILABLE' });
    fake.thaw();
    await store.append(stream, [event], 'no_stream');
    expect(await store.read(stream)).toHaveLength(1);
  });

  it('is not there: the first append says so, retryable', async () => {
    await start();
    const url = fake.url();
    await fake.stop();
    const nowhere = EventStoreDbEventStore.open({ url, ...QUICK, giveUpAfterMs: 100 });
    await expect(nowhere.append(newStream(), [eventOf()], 'no_stream')).rejects.toMatchObject({
      code: 'EVENT_STORE.UNAVAILABLE',
      retryable: true,
    });
    await expect(nowhere.read(newStream())).rejects.toMatchObject({ code: 'EVENT_STORE.UNAVAILABLE' });
    await nowhere.close();
  });

  it.each(['busy', 'silent', 'cut in the middle'] as const)('has its reads repeated: %s', async (fault) => {
    await start();
    const all = await fill(store, 20);
    fake.faults.reads.push(fault, fault);
    expect(await collect(store.readAll({ after: 0, through: all.at(-1)!.position }))).toEqual(all);
    fake.faults.reads.push(fault);
    expect(await store.read(all[0]!.stream)).toEqual([all[0]]);
  });
});

describe('a node that does not lead', () => {
  it.each([
    ['the only one known', 1],
    ['one of a cluster', undefined],
  ])('sends the append on to the leader: %s', async (_, node) => {
    await start({}, { nodes: 3, ...(node !== undefined && { node }) });
    for (const leader of [2, 0, 1]) {
      fake.electLeader(leader);
      expect(await store.append(newStream(), [eventOf()], 'no_stream')).toMatchObject({ revision: 0 });
    }
    expect(await collect(store.readAll({ after: 0 }))).toHaveLength(3);
  });
});
