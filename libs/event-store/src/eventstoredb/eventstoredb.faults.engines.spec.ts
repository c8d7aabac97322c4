import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppendFault } from '#libs/testing/eventstoredb-fake/faults.js';
import { FakeEventStoreDb, type FakeEventStoreDbOptions } from '#libs/testing/eventstoredb-fake/fake-event-store-db.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { collect, eventOf, newStream, until } from '../event-store.contract.js';
import type { StoredEvent } from '../event-store.port.js';
import { connectClient } from './connect-client.js';
import { EventStoreDbEventStore, type EventStoreDbOptions } from './eventstoredb.event-store.js';

jest.setTimeout(30_000);
beforeAll(() => ranAgainst('EventStoreDB under faults: a fake'));

const QUICK = {
  attemptTimeoutMs: 300,
  giveUpAfterMs: 10_000,
  initialBackoffMs: 5,
  maxBackoffMs: 50,
  watchdogMs: 300,
} satisfies Partial<EventStoreDbOptions>;

/** Both ways of appending are taken: what fails together is settled alone. */
const TOGETHER = '&appends=together';

let fake: FakeEventStoreDb;
let store: EventStoreDbEventStore;
/** Of each drop how many followed one another. */
let drops: number[];

const start = async (
  options: Partial<EventStoreDbOptions> = {},
  { node, alone = false, ...cluster }: FakeEventStoreDbOptions & { node?: number; alone?: boolean } = {},
): Promise<void> => {
  fake = await FakeEventStoreDb.start(cluster);
  drops = [];
  const onDropped = (_reason: unknown, inARow: number): void => void drops.push(inARow);
  store = EventStoreDbEventStore.open({
    url: `${fake.url(node)}${alone ? '' : TOGETHER}`,
    ...QUICK,
    onDropped,
    ...options,
  });
};
afterEach(async () => {
  fake.thaw();
  await store.close();
  await fake.stop();
});

/** Follows the store; `handled` grows as events are handled. */
const follow = (beforeEach: () => Promise<void> = async () => undefined): StoredEvent[] => {
  const handled: StoredEvent[] = [];
  store.subscribe(0, async (events) => {
    for (const event of events) {
      await beforeEach();
      handled.push(event);
    }
  });
  return handled;
};

const fill = async (count: number): Promise<StoredEvent[]> => {
  await Promise.all(Array.from({ length: count }, () => store.append(newStream(), [eventOf()], 'no_stream')));
  return collect(store.readAll({ after: 0 }));
};

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
    await fill(3);
    const before = fake.batchCalls;
    expect(before).toBe(1);
    fake.faults.appends.push('cancelled');
    expect(await fill(20)).toHaveLength(23);
    expect(fake.batchCalls).toBe(before);
    await delay(1100);
    await fill(1);
    expect(fake.batchCalls).toBe(before + 1);
  });

  it('end with a node that leads no more, and all of them come to the one that does', async () => {
    await start({}, { nodes: 2 });
    await fill(1);
    fake.electLeader(1);
    expect(await fill(30)).toHaveLength(31);
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
    expect(await fill(20)).toHaveLength(20);
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
    const all = await fill(20);
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

describe('an election', () => {
  it('is outlived, when connections fail one after another while no node can be found', async () => {
    await start({}, { nodes: 3 });
    const both = [follow(), follow()];
    await fill(5);
    await until(() => both.every((handled) => handled.length === 5));
    fake.beginElection();
    fake.cancelSubscriptions(1);
    await until(() => drops.length > 0);
    await delay(100);
    fake.cancelSubscriptions(1);
    await delay(1500); // the client gives a search up after ten times 100 ms
    fake.electLeader(1);
    const all = await fill(5);
    await until(() => both.every((handled) => handled.length >= 10));
    expect(both).toEqual([all, all]);
  });

  it('ends no program: a search that fails is caught where nobody waits for it', async () => {
    await start({}, { nodes: 2 });
    fake.beginElection();
    const client = connectClient(`${fake.url()}&maxDiscoverAttempts=2`) as unknown as {
      getChannel(): Promise<unknown>;
      handleError(client: object, error: Error): Promise<void>;
    };
    const search = client.getChannel();
    const failed = { getChannel: () => 'the lost connection' };
    const noticed = client.handleError(failed, Object.assign(new Error('lost'), { code: 14, details: 'lost' }));
    await expect(search).rejects.toThrow('Failed to discover');
    expect(await noticed).toBeUndefined();
  });
});

describe('a subscription', () => {
  const ends: [string, () => void][] = [
    ['ends without an error', () => fake.endSubscriptions()],
    ['is cancelled by the server', () => fake.cancelSubscriptions()],
    ['loses its connection', () => fake.cutConnections()],
    ['falls silent', () => fake.stallSubscriptions()],
  ];

  it.each(ends)('goes on without gap or duplicate when it %s', async (_, end) => {
    await start({}, { foreignEvery: 2 });
    const handled = follow(() => delay(1));
    for (let round = 0; round < 4; round++) {
      await fill(15);
      end();
    }
    const all = await fill(15);
    await until(() => handled.length >= all.length);
    expect(handled).toEqual(all);
    expect(drops.length).toBeGreaterThan(0);
  });

  it('goes on after a freeze', async () => {
    await start({ giveUpAfterMs: 200 });
    await fill(3);
    const handled = follow();
    await until(() => handled.length === 3);
    fake.freeze();
    await until(() => drops.length > 0);
    fake.thaw();
    const all = await fill(3);
    await until(() => handled.length >= 6);
    expect(handled).toEqual(all);
  });

  it('skips nothing that a checkpoint has passed in the client', async () => {
    await start();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const handled = follow(() => gate);
    await fill(1);
    await until(() => fake.openSubscriptions === 1);
    await fill(12);
    fake.log.addForeign('somebodyelse-1', 400);
    await delay(700); // twice the time in which a checkpoint is taken over
    fake.cutConnections();
    await delay(50);
    release();
    const all = await fill(1);
    await until(() => handled.length >= all.length);
    expect(handled).toEqual(all);
  });

  it('begins again behind what it has seen of others', async () => {
    await start();
    const handled = follow();
    await fill(1);
    await until(() => handled.length === 1);
    fake.log.addForeign('somebodyelse-1', 100);
    await delay(700);
    fake.endSubscriptions();
    await until(() => fake.subscriptionStarts.length === 2);
    expect(fake.subscriptionStarts[1]).toBeGreaterThan(BigInt(handled[0]!.position));
    await fill(1);
    await until(() => handled.length === 2);
  });

  it('counts the drops in a row, for longer and longer waits, and begins anew after an event', async () => {
    await start();
    const handled = follow();
    for (let i = 1; i <= 3; i++) {
      await until(() => fake.openSubscriptions === 1);
      fake.endSubscriptions();
      await until(() => drops.length === i);
    }
    await fill(1);
    await until(() => handled.length === 1);
    fake.endSubscriptions();
    await until(() => drops.length === 4);
    expect(drops).toEqual([1, 2, 3, 1]);
  });

  it('is left alone while it is silent and nothing of ours was written', async () => {
    await start();
    const handled = follow();
    await fill(2);
    await until(() => handled.length === 2);
    fake.log.addForeign('$stats-1', 3);
    await delay(QUICK.watchdogMs * 3);
    expect(drops).toEqual([]);
    expect(fake.subscriptionStarts).toHaveLength(1);
  });

  it('is left alone while its handler takes its time', async () => {
    await start();
    const handled = follow(() => delay(QUICK.watchdogMs * 2));
    await fill(3);
    await until(() => handled.length === 3);
    expect(drops).toEqual([]);
  });

  it('ends with an error where none of our events begins', async () => {
    await start();
    const [first] = await fill(1);
    await expect(store.subscribe(first!.position + 1, async () => undefined).done).rejects.toMatchObject({
      code: 'EVENT_STORE.FAILED',
    });
  });

  it('ends with an error at an event that no hub wrote into our streams', async () => {
    await start();
    fake.log.addForeign(newStream());
    await expect(store.subscribe(0, async () => undefined).done).rejects.toMatchObject({
      code: 'EVENT_STORE.FAILED',
      message: expect.stringContaining('metadata') as string,
    });
  });

  it('leaves no call open on the server when it stops', async () => {
    await start();
    const subscription = store.subscribe(0, async () => undefined);
    await until(() => fake.openSubscriptions === 1);
    await subscription.stop();
    await until(() => fake.openSubscriptions === 0);
    const failing = store.subscribe(0, () => Promise.reject(new Error('row is broken')));
    failing.done.catch(() => undefined);
    await fill(1);
    await until(() => fake.openSubscriptions === 0);
    await expect(failing.done).rejects.toThrow('row is broken');
  });
});

describe('hubs that share a server', () => {
  it('see their own events alone, each in its namespace', async () => {
    await start();
    fake.log.addForeign(`order-${randomUUID()}`);
    const others = ['a', 'b'].map((name) =>
      EventStoreDbEventStore.open({ url: `${fake.url()}&namespace=${name}`, ...QUICK }),
    );
    const hubs = [store, ...others];
    const stream = newStream();
    const followed = await Promise.all(
      hubs.map(async (hub) => {
        const event = eventOf();
        const handled: string[] = [];
        hub.subscribe(0, async (events) => void handled.push(...events.map(({ id }) => id)));
        await hub.append(stream, [event], 'no_stream');
        return { event, handled };
      }),
    );
    for (const [index, hub] of hubs.entries()) {
      const { event, handled } = followed[index]!;
      const all = await collect(hub.readAll({ after: 0 }));
      expect(all.map(({ id }) => id)).toEqual([event.id]);
      expect(await hub.read(stream)).toEqual(all);
      expect(await hub.head()).toBe(all[0]!.position);
      await until(() => handled.length === 1);
      expect(handled).toEqual([event.id]);
    }
    await Promise.all(others.map((hub) => hub.close()));
  });
});

describe('positions', () => {
  it('may be asked for between those of events', async () => {
    await start({}, { foreignEvery: 2 });
    const all = await fill(40);
    const after = all[20]!.position + 1;
    expect(await collect(store.readAll({ after }))).toEqual(all.slice(21));
    await store.recordedBy(Date.now());
    expect(await collect(store.readAll({ after, through: all[30]!.position + 1 }))).toEqual(all.slice(21, 31));
  });

  it('are found again when a log of many pages is read again', async () => {
    await start();
    fake.log.addForeign('$stats-1', 450);
    const all = await fill(250);
    for (let again = 0; again < 3; again++)
      expect(await collect(store.readAll({ after: 0, batchSize: 10 }))).toEqual(all);
  });

  it('find the newest event of ours behind many of others, and behind none', async () => {
    await start();
    expect(await store.head()).toBe(0);
    const [first] = await fill(1);
    for (const foreign of [1, 30, 900]) {
      fake.log.addForeign('$stats-1', foreign);
      expect(await store.head()).toBe(first!.position);
    }
    const { position } = await store.append(newStream(), [eventOf()], 'no_stream');
    expect(await store.head()).toBe(position);
    expect(await store.head()).toBe(position);
  });

  it('belong to the instant at which another store recorded the event', async () => {
    await start();
    const stream = newStream();
    await store.append(stream, [{ ...eventOf(), recordedAtMs: 1_600_000_000_000 }], 'no_stream');
    const { position } = await store.append(newStream(), [eventOf()], 'no_stream');
    const [copied] = await store.read(stream);
    expect(copied!.recordedAtMs).toBe(1_600_000_000_000);
    expect(await store.recordedBy(1_600_000_000_000)).toBe(copied!.position);
    expect(await store.recordedBy(Date.now() + 60_000)).toBe(position);
  });

  it('are marked by who appends, so that whoever asks for an instant reads little', async () => {
    await start({}, { foreignEvery: 50 });
    const [first] = await fill(1);
    for (let i = 0; i < 60; i++)
      await store.append(newStream(), Array.from({ length: 200 }, () => eventOf()), 'no_stream'); // prettier-ignore
    await until(() => fake.log.stream('beside_marks-1') !== undefined);
    const other = EventStoreDbEventStore.open({ url: fake.url(), ...QUICK });
    const all = await collect(other.readAll({ after: 0 }));
    expect(all).toHaveLength(12_001);
    const { position, recordedAtMs } = all[1700]!;
    const later = all.findLast((event) => event.recordedAtMs === recordedAtMs)!;
    expect(later.position).toBeGreaterThanOrEqual(position);
    expect(await other.recordedBy(recordedAtMs)).toBe(later.position);
    expect(await other.recordedBy(first!.recordedAtMs - 1)).toBe(0);
    expect(await other.recordedBy(Date.now())).toBe(all.at(-1)!.position);
    await other.close();
  });

  it('are marked once, at every thousandth event, by however many who append and whatever fails', async () => {
    await start({}, { nodes: 2 });
    const other = EventStoreDbEventStore.open({ url: fake.url(), ...QUICK });
    const faults: AppendFault[] = ['lost reply', 'busy', 'timeout after writing', 'lost request'];
    let appends = 0;
    fake.faults.chooseAppend = () => (++appends % 4 === 0 ? faults[(appends / 4) % faults.length] : undefined);
    const events = () => Array.from({ length: 250 }, () => eventOf('A', {}));
    await Promise.all(
      [store, other].map(async (one) => {
        for (let i = 0; i < 9; i++) await one.append(newStream(), events(), 'no_stream');
      }),
    );
    expect(await store.recordedBy(Date.now() + 60_000)).toBe(await store.head());
    const all = await collect(store.readAll({ after: 0 }));
    const marks = fake.log
      .stream('beside_marks-1')!
      .map(({ data }) => JSON.parse(Buffer.from(data).toString()) as object);
    expect(marks).toMatchObject([999, 1999, 2999, 3999].map((i) => ({ position: all[i]!.position })));
    await other.close();
  });

  it('come with the JSON text for those who do not look inside', async () => {
    await start();
    const stream = newStream();
    await store.append(stream, [eventOf('A', { b: 1, a: 'ü' })], 'no_stream');
    const [{ data, ...event }] = (await store.read(stream)) as [StoredEvent];
    expect(await collect(store.readAllRaw({ after: 0 }))).toEqual([{ ...event, json: JSON.stringify(data) }]);
  });
});
