import { randomUUID } from 'node:crypto';
import { streamId } from './event-store.port.js';
import type {
  EventStore,
  NewEvent,
  Position,
  ReadAllOptions,
  StoredEvent,
  StreamId,
  Subscription,
} from './event-store.port.js';

/** How to get at an adapter; a gap is declared with a sentence and shows as a skipped test. */
export interface EventStoreUnderTest<S extends EventStore> {
  /** An empty store. */
  open(): Promise<S> | S;
  close(store: S): Promise<void>;
  /** The closed store's contents in a new one. */
  reopen?(): Promise<S> | S;
  lacks?: { durability?: string; callOrder?: string };
  /** It makes the `json` of events itself. */
  makesTexts?: true;
}

/** A new event with a new id. */
export const eventOf = (
  type = 'InteractionRecorded',
  data: object = { text: 'héllo' },
  tenant = 'acme',
  schema = 1,
): NewEvent => ({ id: randomUUID(), type, schema, tenant, data });

export const newStream = (): StreamId => streamId('interaction', randomUUID());

export const collect = async <T>(batches: AsyncIterable<T[]>): Promise<T[]> => {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
};

/** Waits until a condition holds, and fails after five seconds. */
export const until = async (holds: () => boolean): Promise<void> => {
  const end = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not happen within five seconds');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

/** What `recordedBy` promises, counted out. */
export const recordedBy = (log: readonly StoredEvent[], instantMs: number): Position => {
  const later = log.findIndex(({ recordedAtMs }) => recordedAtMs > instantMs);
  return (later === -1 ? log.at(-1) : log[later - 1])?.position ?? 0;
};

const positionsOf = (events: readonly StoredEvent[]): Position[] => events.map(({ position }) => position);

/** The second half of the port: what every adapter promises. */
export const eventStoreContract = <S extends EventStore>(name: string, under: EventStoreUnderTest<S>): void => {
  describe(`${name} keeps the promises of EventStore`, () => {
    let store: S;
    beforeEach(async () => {
      store = await under.open();
    });
    afterEach(() => under.close(store));

    const readAll = (options: Partial<ReadAllOptions> = {}): Promise<StoredEvent[]> =>
      collect(store.readAll({ after: 0, ...options }));

    describe('append and read', () => {
      it('reads back what was appended, in order, with revisions from 0', async () => {
        const stream = newStream();
        const events = [
          eventOf('InteractionRecorded', { a: 1, text: 'ü€😀' }),
          eventOf('InteractionCorrected', {}, 'acme', 2),
        ];
        const before = Date.now();
        const receipt = await store.append(stream, events, 'no_stream');
        const stored = await store.read(stream);
        expect(stored).toEqual(
          events.map((event, revision) => ({
            ...event,
            stream,
            revision,
            position: expect.any(Number) as number,
            recordedAtMs: expect.any(Number) as number,
          })),
        );
        expect(receipt).toEqual({ position: stored[1]!.position, revision: 1 });
        expect(stored[0]!.recordedAtMs).toBeGreaterThanOrEqual(before);
        expect(stored[0]!.recordedAtMs).toBeLessThanOrEqual(Date.now());
      });

      it('keeps the trace that led to an event beside it, for those who follow the log', async () => {
        const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
        const stream = newStream();
        await store.append(stream, [eventOf(), { ...eventOf(), traceparent }, eventOf()], 'no_stream');
        expect((await readAll()).map((event) => event.traceparent)).toEqual([undefined, traceparent, undefined]);
        const followed: StoredEvent[] = [];
        const subscription = store.subscribe(0, async (events) => void followed.push(...events));
        await until(() => followed.length === 3);
        await subscription.stop();
        expect(followed[1]).toMatchObject({ stream, revision: 1, traceparent });
      });

      it('reads a missing stream as empty', async () => {
        await store.append(newStream(), [eventOf()], 'no_stream');
        expect(await store.read(newStream())).toEqual([]);
      });

      it('keeps streams of different categories with one id apart', async () => {
        const id = randomUUID();
        await store.append(streamId('interaction', id), [eventOf('A')], 'no_stream');
        await store.append(streamId('conversation', id), [eventOf('B')], 'no_stream');
        expect((await store.read(streamId('conversation', id))).map(({ type }) => type)).toEqual(['B']);
        expect(await store.read(streamId('link', id))).toEqual([]);
      });

      it('continues a stream at its exact revision', async () => {
        const stream = newStream();
        await store.append(stream, [eventOf(), eventOf()], 'no_stream');
        expect(await store.append(stream, [eventOf()], 1)).toMatchObject({ revision: 2 });
        expect((await store.read(stream)).map(({ revision }) => revision)).toEqual([0, 1, 2]);
      });

      it('keeps what was appended when the caller changes its object afterwards', async () => {
        const stream = newStream();
        const data = { text: 'as it was' };
        const appended = store.append(stream, [eventOf('A', data)], 'no_stream');
        data.text = 'changed';
        await appended;
        expect((await store.read(stream))[0]!.data).toEqual({ text: 'as it was' });
      });

      if (!under.makesTexts)
        it('keeps the text that comes in place of the data', async () => {
          const stream = newStream();
          await store.append(stream, [{ ...eventOf('A', { text: 'open' }), json: '{"sealed":"x"}' }], 'no_stream');
          expect((await store.read(stream))[0]!.data).toEqual({ sealed: 'x' });
          expect((await collect(store.readAll({ after: 0 }))).map(({ data }) => data)).toEqual([{ sealed: 'x' }]);
        });

      it.each([
        ['no events', newStream(), [], 'no_stream' as const],
        ['an event id that is no UUID', newStream(), [{ ...eventOf(), id: 'x' }], 'no_stream' as const],
        ['a stream that is no category with a UUID', 'interaction-7' as const, [eventOf()], 'no_stream' as const],
        ['a negative revision', newStream(), [eventOf()], -1],
      ])('refuses %s', async (_, stream, events, expected) => {
        await expect(store.append(stream, events, expected)).rejects.toMatchObject({
          code: 'EVENT_STORE.INVALID_APPEND',
        });
        expect(await store.head()).toBe(0);
      });
    });

    describe('expected revision', () => {
      const refused = async (appending: Promise<unknown>, facts: object): Promise<void> =>
        expect(appending).rejects.toMatchObject({ code: 'EVENT_STORE.REVISION_CONFLICT', retryable: false, facts });

      it('refuses a new stream that exists', async () => {
        const stream = newStream();
        await store.append(stream, [eventOf()], 'no_stream');
        await refused(store.append(stream, [eventOf()], 'no_stream'), { stream, expected: 'no_stream', actual: 0 });
      });

      it('refuses a revision that is passed', async () => {
        const stream = newStream();
        await store.append(stream, [eventOf(), eventOf(), eventOf()], 'no_stream');
        await refused(store.append(stream, [eventOf()], 1), { stream, expected: 1, actual: 2 });
      });

      it('refuses a revision that is not reached', async () => {
        const stream = newStream();
        await store.append(stream, [eventOf()], 'no_stream');
        await refused(store.append(stream, [eventOf()], 3), { stream, expected: 3, actual: 0 });
      });

      it('refuses a revision of a missing stream', async () => {
        const stream = newStream();
        await refused(store.append(stream, [eventOf()], 0), { stream, expected: 0, actual: 'no_stream' });
        expect(await store.read(stream)).toEqual([]);
      });

      it('stores nothing of a refused append', async () => {
        const stream = newStream();
        const first = eventOf();
        await store.append(stream, [first], 'no_stream');
        await refused(store.append(stream, [eventOf(), eventOf(), eventOf()], 'no_stream'), {});
        expect((await store.read(stream)).map(({ id }) => id)).toEqual([first.id]);
        expect(await readAll()).toHaveLength(1);
      });
    });

    describe('a repeated append', () => {
      it('succeeds with the original receipt and stores nothing', async () => {
        const stream = newStream();
        const events = [eventOf(), eventOf()];
        const receipt = await store.append(stream, events, 'no_stream');
        await store.append(stream, [eventOf()], 1);
        await store.append(newStream(), [eventOf()], 'no_stream');
        expect(await store.append(stream, events, 'no_stream')).toEqual(receipt);
        expect(await readAll()).toHaveLength(4);
      });

      it('is recognised in the middle of a stream', async () => {
        const stream = newStream();
        await store.append(stream, [eventOf()], 'no_stream');
        const later = [eventOf(), eventOf()];
        const receipt = await store.append(stream, later, 0);
        await store.append(stream, [eventOf()], 2);
        expect(await store.append(stream, later, 0)).toEqual(receipt);
      });

      it('is recognised by its ids alone: other data under the same id is dropped', async () => {
        const stream = newStream();
        const event = eventOf('A', { a: 1 });
        const receipt = await store.append(stream, [event], 'no_stream');
        expect(await store.append(stream, [{ ...event, data: { a: 2 } }], 'no_stream')).toEqual(receipt);
        expect((await store.read(stream))[0]!.data).toEqual({ a: 1 });
      });

      it('succeeds with the first events of what was appended', async () => {
        const stream = newStream();
        const events = [eventOf(), eventOf()];
        const { position } = await store.append(stream, [events[0]!], 'no_stream');
        await store.append(stream, [events[1]!], 0);
        expect(await store.append(stream, [events[0]!], 'no_stream')).toEqual({ position, revision: 0 });
      });

      it('conflicts when a later id differs, or one more is added', async () => {
        const stream = newStream();
        const events = [eventOf(), eventOf()];
        await store.append(stream, events, 'no_stream');
        for (const other of [
          [events[0]!, eventOf()],
          [...events, eventOf()],
          [eventOf(), events[1]!],
        ])
          await expect(store.append(stream, other, 'no_stream')).rejects.toMatchObject({
            code: 'EVENT_STORE.REVISION_CONFLICT',
          });
        expect(await readAll()).toHaveLength(2);
      });

      it('does not count under another expected revision', async () => {
        const stream = newStream();
        const event = eventOf();
        await store.append(stream, [event], 'no_stream');
        await store.append(stream, [eventOf()], 0);
        await expect(store.append(stream, [event], 0)).rejects.toMatchObject({ code: 'EVENT_STORE.REVISION_CONFLICT' });
      });
    });

    describe('appends of one turn', () => {
      it('succeed or conflict one by one', async () => {
        const [contested, other] = [newStream(), newStream()];
        const winner = eventOf();
        const settled = await Promise.allSettled([
          store.append(contested, [winner], 'no_stream'),
          store.append(contested, [eventOf()], 'no_stream'),
          store.append(other, [eventOf()], 'no_stream'),
          store.append(contested, [winner], 'no_stream'),
          store.append(contested, [eventOf()], 0),
          store.append(other, [eventOf()], 5),
        ]);
        expect(settled.map(({ status }) => status)).toEqual([
          'fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected',
        ]); // prettier-ignore
        expect(settled[3]).toEqual(settled[0]);
        expect(await store.read(contested)).toHaveLength(2);
        expect(await readAll()).toHaveLength(3);
      });

      const inCallOrder = under.lacks?.callOrder ? it.skip : it;
      const gap = under.lacks?.callOrder ? `: ${under.lacks.callOrder}` : '';
      inCallOrder(`are ordered as they were called${gap}`, async () => {
        const streams = Array.from({ length: 300 }, newStream);
        const receipts = await Promise.all(streams.map((stream) => store.append(stream, [eventOf()], 'no_stream')));
        const positions = receipts.map(({ position }) => position);
        expect(positions).toEqual(positions.toSorted((a, b) => a - b));
        expect(new Set(positions).size).toBe(300);
        expect((await readAll()).map(({ stream }) => stream)).toEqual(streams);
      });

      it('let exactly one of many competitors win each revision', async () => {
        const stream = newStream();
        const attempts = Array.from({ length: 20 }, (_, i) =>
          store.append(stream, [eventOf(`Attempt${i}`)], 'no_stream'),
        );
        const settled = await Promise.allSettled(attempts);
        expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(await store.read(stream)).toHaveLength(1);
      });
    });

    describe('readAll', () => {
      const fill = async (): Promise<StoredEvent[]> => {
        for (let i = 0; i < 30; i++)
          await store.append(
            newStream(),
            [eventOf(i % 3 ? 'Common' : 'Rare', { i }, i % 2 ? 'acme' : 'globex', 1 + (i % 4))],
            'no_stream',
          );
        return readAll();
      };

      it('gives every event once, in the order of positions', async () => {
        const all = await fill();
        expect(all.map(({ data }) => data)).toEqual(Array.from({ length: 30 }, (_, i) => ({ i })));
        expect(positionsOf(all)).toEqual(positionsOf(all).toSorted((a, b) => a - b));
        expect(await store.head()).toBe(all.at(-1)!.position);
      });

      it('starts after a position and ends with another', async () => {
        const all = await fill();
        const part = await readAll({ after: all[4]!.position, through: all[9]!.position });
        expect(part).toEqual(all.slice(5, 10));
        expect(await readAll({ after: all.at(-1)!.position })).toEqual([]);
      });

      it('filters by tenant and by type, all schemas of it', async () => {
        const all = await fill();
        expect(await readAll({ tenant: 'globex' })).toEqual(all.filter(({ tenant }) => tenant === 'globex'));
        expect(await readAll({ types: ['Rare'] })).toEqual(all.filter(({ type }) => type === 'Rare'));
        expect(await readAll({ types: ['Rare', 'Common'], tenant: 'acme', after: all[3]!.position })).toEqual(
          all.slice(4).filter(({ tenant }) => tenant === 'acme'),
        );
        expect(await readAll({ types: ['Never'] })).toEqual([]);
        expect(await readAll({ types: [] })).toEqual([]);
        expect(await readAll({ tenant: 'nobody' })).toEqual([]);
      });

      it.each([1, 7, 30, 1000])('gives full batches of %d', async (batchSize) => {
        await fill();
        for (const filter of [{}, { types: ['Rare', 'Common'] }]) {
          const sizes: number[] = [];
          for await (const batch of store.readAll({ after: 0, batchSize, ...filter })) sizes.push(batch.length);
          expect(sizes.slice(0, -1).every((size) => size === batchSize)).toBe(true);
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(30);
        }
      });

      it('ends at the head of the time of the call', async () => {
        await fill();
        const reading = store.readAll({ after: 0 });
        await store.append(newStream(), [eventOf()], 'no_stream');
        expect(await collect(reading)).toHaveLength(30);
      });

      it('is empty in an empty store', async () => {
        expect(await readAll()).toEqual([]);
        expect(await store.head()).toBe(0);
      });
    });

    describe('recordedBy', () => {
      it('gives the position before the first event that was recorded later', async () => {
        for (let i = 0; i < 12; i++) {
          await store.append(newStream(), [eventOf(), eventOf()], 'no_stream');
          await new Promise((resolve) => setTimeout(resolve, i % 3));
        }
        const all = await readAll();
        const instants = all.flatMap(({ recordedAtMs }) => [recordedAtMs - 1, recordedAtMs, recordedAtMs + 1]);
        for (const instant of [0, ...instants, instants.at(-1)! + 1e9])
          expect([instant, await store.recordedBy(instant)]).toEqual([instant, recordedBy(all, instant)]);
      });

      it('is 0 in an empty store', async () => {
        expect(await store.recordedBy(Date.now())).toBe(0);
      });
    });

    describe('subscribe', () => {
      let subscription: Subscription | undefined;
      afterEach(async () => {
        await subscription?.stop();
        subscription = undefined;
      });

      it('gives what was there, then what comes, without gap or duplicate', async () => {
        const handled: StoredEvent[] = [];
        const append = async (): Promise<void> => {
          for (let i = 0; i < 60; i++) {
            await Promise.all(
              Array.from({ length: 25 }, () => store.append(newStream(), [eventOf('A', { i })], 'no_stream')),
            );
          }
        };
        const appended = append();
        while ((await store.head()) < 200) await new Promise((resolve) => setImmediate(resolve));
        subscription = store.subscribe(0, async (events) => {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
          handled.push(...events);
        });
        await appended;
        await until(() => handled.length >= 1500);
        expect(positionsOf(handled)).toEqual(positionsOf(await readAll()));
      });

      it('starts after the given position', async () => {
        const { position } = await store.append(newStream(), [eventOf('A'), eventOf('B')], 'no_stream');
        await store.append(newStream(), [eventOf('C')], 'no_stream');
        const handled: string[] = [];
        subscription = store.subscribe(position, async (events) => void handled.push(...events.map((e) => e.type)));
        await until(() => handled.length > 0);
        await store.append(newStream(), [eventOf('D')], 'no_stream');
        await until(() => handled.length > 1);
        expect(handled).toEqual(['C', 'D']);
      });

      it('hands over one batch at a time', async () => {
        let running = 0;
        let most = 0;
        let count = 0;
        subscription = store.subscribe(0, async (events) => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 2));
          running -= 1;
          count += events.length;
        });
        for (let i = 0; i < 40; i++) await store.append(newStream(), [eventOf()], 'no_stream');
        await until(() => count === 40);
        expect(most).toBe(1);
      });

      it('stops after the running batch and handles nothing afterwards', async () => {
        let finish = (): void => undefined;
        const gate = new Promise<void>((resolve) => (finish = resolve));
        const handled: StoredEvent[] = [];
        let running = false;
        subscription = store.subscribe(0, async (events) => {
          running = true;
          await gate;
          handled.push(...events);
        });
        await store.append(newStream(), [eventOf()], 'no_stream');
        await until(() => running);
        const stopped = subscription.stop();
        await store.append(newStream(), [eventOf()], 'no_stream');
        expect(handled).toHaveLength(0);
        finish();
        await stopped;
        expect(handled).toHaveLength(1);
        await subscription.done;
        await store.append(newStream(), [eventOf()], 'no_stream');
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(handled).toHaveLength(1);
      });

      it('rejects done with what the handler threw, and does not go on', async () => {
        let calls = 0;
        const failing = store.subscribe(0, async () => {
          calls += 1;
          throw new Error('row is broken');
        });
        const failure = failing.done.catch((error: unknown) => error);
        await store.append(newStream(), [eventOf()], 'no_stream');
        expect(await failure).toEqual(new Error('row is broken'));
        await store.append(newStream(), [eventOf()], 'no_stream');
        await failing.stop();
        expect(calls).toBe(1);
      });

      it('ends when the store closes', async () => {
        const waiting = store.subscribe(0, async () => undefined);
        await under.close(store);
        await waiting.done;
        await expect(store.append(newStream(), [eventOf()], 'no_stream')).rejects.toMatchObject({
          code: 'EVENT_STORE.CLOSED',
        });
      });
    });

    const durable = under.reopen && !under.lacks?.durability ? it : it.skip;
    durable(
      `holds everything after it was closed${under.lacks?.durability ? `: ${under.lacks.durability}` : ''}`,
      async () => {
        const stream = newStream();
        const events = [eventOf('A'), eventOf('B', {}, 'globex', 3)];
        const receipt = await store.append(stream, events, 'no_stream');
        const stored = await store.read(stream);
        await under.close(store);
        store = await under.reopen!();
        expect(await store.read(stream)).toEqual(stored);
        expect(await readAll()).toEqual(stored);
        expect(await store.append(stream, events, 'no_stream')).toEqual(receipt);
        const next = await store.append(stream, [eventOf()], 1);
        expect(next.position).toBeGreaterThan(receipt.position);
      },
    );
  });
};
