import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { AppendFault } from '#libs/testing/eventstoredb-fake/faults.js';
import { FakeEventStoreDb } from '#libs/testing/eventstoredb-fake/fake-event-store-db.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { eventOf, newStream } from '../event-store.contract.js';
import type { AppendReceipt, Position, StoredEvent, StreamId, Subscription } from '../event-store.port.js';
import { EventStoreDbEventStore } from './eventstoredb.event-store.js';

jest.setTimeout(240_000);
beforeAll(() => ranAgainst('EventStoreDB under faults: a fake'));

const QUICK = { attemptTimeoutMs: 150, giveUpAfterMs: 30_000, initialBackoffMs: 2, maxBackoffMs: 20, watchdogMs: 200 };

/** A projection with a checkpoint, which is stopped and started like one. */
class Subscriber {
  readonly handled: StoredEvent[] = [];
  private subscription: Subscription;

  constructor(
    private readonly store: EventStoreDbEventStore,
    private readonly waitMs: number,
  ) {
    this.subscription = this.start();
  }

  async restart(): Promise<void> {
    await this.subscription.stop();
    this.subscription = this.start();
  }

  stop(): Promise<void> {
    return this.subscription.stop();
  }

  private get checkpoint(): Position {
    return this.handled.at(-1)?.position ?? 0;
  }

  private start(): Subscription {
    return this.store.subscribe(this.checkpoint, async (events) => {
      if (this.waitMs > 0) await delay(this.waitMs);
      this.handled.push(...events);
    });
  }
}

const faults = fc.constantFrom<AppendFault | undefined>(
  undefined,
  undefined,
  undefined,
  'lost reply',
  'lost request',
  'timeout after writing',
  'busy',
  'cancelled',
  'unknown',
  'no position',
  { slowMs: 5 },
  { slowMs: 30 },
);

/** Something that happens while appends are under way. */
const happenings = fc.oneof(
  { weight: 6, arbitrary: fc.record({ append: fc.nat(4), events: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ foreign: fc.integer({ min: 1, max: 70 }) }) },
  { weight: 1, arbitrary: fc.record({ pauseMs: fc.integer({ min: 1, max: 30 }) }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'end',
      'cancel',
      'stall',
      'cut',
      'freeze',
      'hold',
      'lead',
      'election',
      'restart' as const,
    ),
  },
);

it('delivers every acknowledged event exactly once and in order, whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happenings, { minLength: 10, maxLength: 40 }),
      fc.array(faults, { maxLength: 40 }),
      fc.constantFrom(0, 0, 3),
      async (program, appendFaults, handlerWaitMs) => {
        const fake = await FakeEventStoreDb.start({ nodes: 2, foreignEvery: 4 });
        const store = EventStoreDbEventStore.open({ url: fake.url(), ...QUICK, maxInFlight: 3 });
        fake.faults.chooseAppend = () => appendFaults.pop();
        const subscriber = new Subscriber(store, handlerWaitMs);
        const streams = Array.from({ length: 5 }, () => ({ name: newStream(), ids: [] as string[] }));
        const appended: Promise<{ stream: StreamId; ids: string[]; receipt: AppendReceipt }>[] = [];
        const append = (index: number, count: number): void => {
          const { name, ids } = streams[index]!;
          const events = Array.from({ length: count }, () => eventOf());
          const expected = ids.length === 0 ? 'no_stream' : ids.length - 1;
          const added = events.map(({ id }) => id);
          ids.push(...added);
          appended.push(
            store.append(name, events, expected).then((receipt) => ({ stream: name, ids: added, receipt })),
          );
        };
        try {
          let leader = 0;
          for (const step of program) {
            if (typeof step === 'object') {
              if ('append' in step) append(step.append, step.events);
              else if ('foreign' in step) fake.log.addForeign('somebodyelse-1', step.foreign);
              else await delay(step.pauseMs);
            } else if (step === 'end') fake.endSubscriptions();
            else if (step === 'cancel') fake.cancelSubscriptions();
            else if (step === 'stall') fake.stallSubscriptions();
            else if (step === 'cut') fake.cutConnections();
            else if (step === 'lead') fake.electLeader((leader = 1 - leader));
            else if (step === 'election') {
              fake.beginElection();
              await delay(20);
              fake.electLeader((leader = 1 - leader));
            } else if (step === 'restart') await subscriber.restart();
            else if (step === 'freeze') {
              fake.freeze();
              await delay(40);
              fake.thaw();
            } else {
              fake.log.holdReplication();
              await delay(20);
              fake.log.replicate();
            }
          }
          append(0, 1); // so that a subscription that fell silent last is noticed
          const answers = await Promise.all(appended);
          const total = streams.reduce((sum, { ids }) => sum + ids.length, 0);
          const end = Date.now() + 10_000;
          while (subscriber.handled.length < total && Date.now() < end) await delay(5);
          await delay(20);
          await subscriber.stop();

          const log: { id: string; stream: string; position: number }[] = fake.log.records
            .filter(({ stream }) => streams.some(({ name }) => name === stream))
            .map(({ id, stream, position }) => ({ id, stream, position: Number(position) }));
          for (const { name, ids } of streams)
            expect(log.filter(({ stream }) => stream === name).map(({ id }) => id)).toEqual(ids);
          for (const { ids, receipt } of answers)
            expect(receipt.position).toBe(log.find(({ id }) => id === ids.at(-1))!.position);
          expect(subscriber.handled.map(({ id, stream, position }) => ({ id, stream, position }))).toEqual(log);
        } finally {
          fake.thaw();
          await subscriber.stop();
          await store.close();
          await fake.stop();
        }
      },
    ),
    { numRuns: Number(process.env['HILO_TEST_RUNS'] ?? 25), endOnFailure: true, timeout: 20_000 },
  );
});
