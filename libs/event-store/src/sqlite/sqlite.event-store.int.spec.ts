import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { bytesOfUuid, FixedClock, HubError } from '#libs/kernel';
import { collect, eventOf, eventStoreContract, newStream, recordedBy, until } from '../event-store.contract.js';
import { streamId, type NewEvent, type StoredEvent, type StreamId } from '../event-store.port.js';
import { openEventsFile, readMark } from './events-file.js';
import { INDEXED_THROUGH, placeHashOf } from './log-queries.js';
import { SqliteEventLogReader } from './sqlite.event-log-reader.js';
import { SqliteEventStore } from './sqlite.event-store.js';
import { StreamPlaces } from './stream-places.js';

const dir = mkdtempSync(join(tmpdir(), 'hilo-event-store-'));
afterAll(() => rmSync(dir, { recursive: true }));

let file = '';
const newFile = (): string => (file = join(dir, `${randomUUID()}.db`));

eventStoreContract('SqliteEventStore', {
  open: () => SqliteEventStore.open({ file: newFile() }),
  close: (store) => store.close(),
  reopen: () => SqliteEventStore.open({ file }),
});

const appendMany = async (store: SqliteEventStore, count: number): Promise<StreamId[]> => {
  const streams = Array.from({ length: count }, newStream);
  await Promise.all(streams.map((stream) => store.append(stream, [eventOf('A', { of: stream })], 'no_stream')));
  return streams;
};

describe('SqliteEventStore', () => {
  let store: SqliteEventStore;
  beforeEach(() => {
    store = SqliteEventStore.open({ file: newFile(), clock: new FixedClock(1_740_000_000_123) });
  });
  afterEach(() => store.close());

  it('keeps its file to its owner', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('takes the time of recording from its clock', async () => {
    const [stream] = await appendMany(store, 1);
    expect((await store.read(stream!))[0]!.recordedAtMs).toBe(1_740_000_000_123);
  });

  it('gives contiguous positions from 1, conflicts between them or not', async () => {
    const stream = newStream();
    await Promise.allSettled([
      store.append(stream, [eventOf()], 'no_stream'),
      store.append(stream, [eventOf()], 'no_stream'),
      store.append(newStream(), [eventOf(), eventOf()], 'no_stream'),
    ]);
    await appendMany(store, 100);
    const all = await collect(store.readAll({ after: 0 }));
    expect(all.map(({ position }) => position)).toEqual(Array.from({ length: 103 }, (_, i) => i + 1));
  });

  it('tells after each commit how far the log reaches, once for all appends of a turn', async () => {
    const heads: number[] = [];
    const end = store.onAppended((events) => heads.push(events.at(-1)!.position));
    await appendMany(store, 50);
    await appendMany(store, 2);
    end();
    await appendMany(store, 1);
    expect(heads).toEqual([50, 52]);
  });

  it('knows how far the log went at any instant, also where its clock was set back', async () => {
    const steps = fc.array(fc.record({ ms: fc.integer({ min: -300, max: 200 }), reopen: fc.boolean() }), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (moves) => {
        const clock = new FixedClock(10_000);
        const path = newFile();
        let one = SqliteEventStore.open({ file: path, clock });
        for (const { ms, reopen } of moves) {
          if (reopen) {
            await one.close();
            one = SqliteEventStore.open({ file: path, clock });
          }
          clock.advance(ms);
          await one.append(newStream(), [eventOf()], 'no_stream');
        }
        const all = await collect(one.readAll({ after: 0 }));
        const reader = SqliteEventLogReader.open({ file: path });
        for (const instant of [0, ...all.flatMap(({ recordedAtMs }) => [recordedAtMs - 1, recordedAtMs]), 1e6]) {
          expect(await one.recordedBy(instant)).toBe(recordedBy(all, instant));
          expect(await reader.recordedBy(instant)).toBe(recordedBy(all, instant));
        }
        await reader.close();
        await one.close();
      }),
      { numRuns: 25 },
    );
  });

  it('leaves no write-ahead log behind when it is closed', async () => {
    await appendMany(store, 50);
    await store.close();
    expect(existsSync(`${file}-wal`) ? statSync(`${file}-wal`).size : 0).toBe(0);
  });

  it('hands out the stored JSON text unparsed', async () => {
    const stream = newStream();
    await store.append(stream, [eventOf('A', { b: 1, a: 'ü' })], 'no_stream');
    const [raw] = await collect(store.readAllRaw({ after: 0 }));
    expect(raw).toMatchObject({ stream, type: 'A', json: '{"b":1,"a":"ü"}' });
    expect(raw).not.toHaveProperty('data');
  });

  describe('without space', () => {
    const limited = (limit: number) => {
      const events = openEventsFile(newFile());
      const full = new SqliteEventStore(events);
      const setLimit = (pages: number): void => void events.db.prepare(`PRAGMA max_page_count = ${pages}`).all([]);
      setLimit(limit);
      return { events, full, setLimit };
    };
    const large = (): NewEvent => eventOf('Large', { text: 'x'.repeat(100_000) });

    it('rejects every append of the group as retryable, stores nothing, and goes on once there is space', async () => {
      const { events, full, setLimit } = limited(40);
      await full.append(newStream(), [eventOf('First')], 'no_stream');
      const streams = Array.from({ length: 10 }, newStream);
      const first = streams.map((stream) => ({ stream, event: large() }));
      const settled = await Promise.allSettled(
        first.map(({ stream, event }) => full.append(stream, [event], 'no_stream')),
      );
      for (const result of settled)
        expect(result).toMatchObject({
          status: 'rejected',
          reason: { code: 'EVENT_STORE.UNAVAILABLE', retryable: true },
        });
      expect(await full.head()).toBe(1);
      expect(await full.read(streams[0]!)).toEqual([]);
      await full.append(newStream(), [eventOf('Small')], 'no_stream');
      setLimit(1_000_000);
      const receipts = await Promise.all(first.map(({ stream, event }) => full.append(stream, [event], 'no_stream')));
      expect(receipts.map(({ position }) => position)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      const all = await collect(full.readAll({ after: 0 }));
      expect(all.map(({ type }) => type)).toEqual(['First', 'Small', ...Array.from({ length: 10 }, () => 'Large')]);
      await full.close();
      events.close();
    });
  });

  describe('finding streams once their places are moved into the file', () => {
    // A move at 100 events instead of 32768.
    const moving = async () => {
      const events = openEventsFile(newFile());
      const places = new StreamPlaces(events.db, events.commits, () => 100);
      const moved = new SqliteEventStore(events, undefined, places);
      const placed = (): number => events.db.prepare('SELECT count(*) AS n FROM place').first<{ n: number }>([])!.n;
      return { events, moved, placed };
    };

    it('finds, continues and guards streams whether moved, moving or new', async () => {
      const { events, moved, placed } = await moving();
      const streams = await appendMany(moved, 250);
      await until(() => placed() === 250);
      const ids = new Map<StreamId, NewEvent>();
      for (const stream of streams) ids.set(stream, eventOf('B'));
      await Promise.all(streams.map((stream) => moved.append(stream, [ids.get(stream)!], 0)));
      for (const stream of streams.slice(0, 50)) {
        expect((await moved.read(stream)).map(({ type }) => type)).toEqual(['A', 'B']);
        expect(await moved.append(stream, [ids.get(stream)!], 0)).toMatchObject({ revision: 1 });
        await expect(moved.append(stream, [eventOf()], 'no_stream')).rejects.toMatchObject({ facts: { actual: 1 } });
      }
      await appendMany(moved, 1); // a move that is due while another runs starts with a later commit
      await until(() => placed() >= 500);
      await moved.append(streams[0]!, [eventOf('C')], 1);
      await moved.close();
      events.close();
      const reopened = SqliteEventStore.open({ file });
      expect((await reopened.read(streams[0]!)).map(({ type }) => type)).toEqual(['A', 'B', 'C']);
      expect(await reopened.append(streams[1]!, [ids.get(streams[1]!)!], 0)).toMatchObject({ revision: 1 });
      await expect(reopened.append(streams[0]!, [eventOf()], 1)).rejects.toMatchObject({ facts: { actual: 2 } });
      await reopened.close();
    });

    it('tells streams with one hash apart', async () => {
      const { events, moved, placed } = await moving();
      const twins = ['000000000001-000000000000', '000000000000-000000000001'].map((text) => {
        const [start, end] = text.split('-') as [string, string];
        return streamId('interaction', `${start.slice(0, 8)}-${start.slice(8)}-8000-8000-${end}`);
      });
      const [hash, other] = twins.map((twin) => placeHashOf(bytesOfUuid(twin.slice('interaction-'.length))));
      expect(hash).toBe(other);
      await moved.append(twins[0]!, [eventOf('A')], 'no_stream');
      await appendMany(moved, 99);
      await until(() => placed() === 100);
      expect(await moved.read(twins[1]!)).toEqual([]);
      await moved.append(twins[1]!, [eventOf('B')], 'no_stream');
      expect((await moved.read(twins[0]!)).map(({ type }) => type)).toEqual(['A']);
      expect((await moved.read(twins[1]!)).map(({ type }) => type)).toEqual(['B']);
      await moved.close();
      events.close();
    });

    it('loses nothing when a move is cut short', async () => {
      const { events, moved, placed } = await moving();
      const streams = await appendMany(moved, 150);
      await until(() => readMark(events.db, INDEXED_THROUGH) === 150);
      expect(placed()).toBe(150);
      events.db.exec("DELETE FROM place WHERE hash % 2 = 0; DELETE FROM mark WHERE name = 'indexed_through'");
      await moved.close();
      events.close();
      const reopened = SqliteEventStore.open({ file });
      const reader = SqliteEventLogReader.open({ file });
      for (const stream of streams) {
        expect(await reopened.read(stream)).toHaveLength(1);
        expect(await reader.read(stream)).toHaveLength(1);
        await expect(reopened.append(stream, [eventOf()], 'no_stream')).rejects.toThrow(HubError);
      }
      await reader.close();
      await reopened.close();
    });
  });

  it('holds after a crash exactly the appends that were answered', async () => {
    const answered = await appendMany(store, 500);
    void appendMany(store, 10).catch(() => undefined); // not committed yet: the turn is not over
    const copy = join(dir, `${randomUUID()}.db`);
    for (const part of ['', '-wal']) copyFileSync(`${file}${part}`, `${copy}${part}`);
    const recovered = SqliteEventStore.open({ file: copy });
    expect((await collect(recovered.readAll({ after: 0 }))).map(({ stream }) => stream)).toEqual(answered);
    await recovered.close();
    await until(() => existsSync(file));
  });
});

describe('SqliteEventLogReader', () => {
  it('reads beside the writer what is committed, and follows when it is told', async () => {
    const store = SqliteEventStore.open({ file: newFile() });
    const streams = await appendMany(store, 20);
    const reader = SqliteEventLogReader.open({ file });
    expect(await collect(reader.readAll({ after: 0 }))).toEqual(await collect(store.readAll({ after: 0 })));
    expect(await reader.read(streams[3]!)).toEqual(await store.read(streams[3]!));
    expect(await reader.head()).toBe(20);
    const handled: StoredEvent[] = [];
    const subscription = reader.subscribe(10, async (events) => void handled.push(...events));
    store.onAppended(() => reader.notify());
    await store.append(newStream(), [eventOf('TypeOfLater', {}, 'tenant-of-later')], 'no_stream');
    await until(() => handled.length === 11);
    expect(handled.at(-1)).toMatchObject({ position: 21, type: 'TypeOfLater', tenant: 'tenant-of-later' });
    expect(await collect(reader.readAll({ after: 0, types: ['TypeOfLater'] }))).toHaveLength(1);
    await subscription.stop();
    await reader.close();
    await store.close();
  });

  it('reads a file of a release that kept no traces', async () => {
    const store = SqliteEventStore.open({ file: newFile() });
    await appendMany(store, 3);
    await store.close();
    const earlier = openEventsFile(file);
    earlier.db.exec('DROP TABLE trace');
    earlier.close();
    const reader = SqliteEventLogReader.open({ file });
    expect(await collect(reader.readAll({ after: 0 }))).toHaveLength(3);
    await reader.close();
  });

  it('refuses to write, and to create a file', async () => {
    const store = SqliteEventStore.open({ file: newFile() });
    const reader = SqliteEventLogReader.open({ file });
    expect(() => reader.db.exec('DELETE FROM event')).toThrow('readonly');
    await reader.close();
    await store.close();
    expect(() => SqliteEventLogReader.open({ file: join(dir, 'missing.db') })).toThrow('does not exist');
    expect(existsSync(join(dir, 'missing.db'))).toBe(false);
  });
});
