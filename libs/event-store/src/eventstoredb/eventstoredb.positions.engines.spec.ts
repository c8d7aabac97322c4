import { randomUUID } from 'node:crypto';
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
import type { StoredEvent } from '../event-store.port.js';
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
    const all = await fill(store, 40);
    const after = all[20]!.position + 1;
    expect(await collect(store.readAll({ after }))).toEqual(all.slice(21));
    await store.recordedBy(Date.now());
    expect(await collect(store.readAll({ after, through: all[30]!.position + 1 }))).toEqual(all.slice(21, 31));
  });

  it('are found again when a log of many pages is read again', async () => {
    await start();
    fake.log.addForeign('$stats-1', 450);
    const all = await fill(store, 250);
    for (let again = 0; again < 3; again++)
      expect(await collect(store.readAll({ after: 0, batchSize: 10 }))).toEqual(all);
  });

  it('find the newest event of ours behind many of others, and behind none', async () => {
    await start();
    expect(await store.head()).toBe(0);
    const [first] = await fill(store, 1);
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
    const [first] = await fill(store, 1);
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
