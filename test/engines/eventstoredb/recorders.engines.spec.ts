import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { BusMessage } from '#libs/bus';
import { deliveryOf, intakeOver } from '#libs/commands/intake/intake.contract.js';
import { collect, eventOf, newStream, until } from '#libs/event-store/event-store.contract.js';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { memoryOperations } from '#libs/event-store/memory/memory.operations.js';
import { IdFactory, isRetryable, SystemClock } from '#libs/kernel';
import {
  openSealedEventLog,
  openSealedEventStore,
  type OpenSealedEventStoreOptions,
  type SealedEventStoreSet,
} from '#libs/privacy/open-sealed-event-store.js';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import type { AppendFault } from '#libs/testing/eventstoredb-fake/faults.js';
import { FakeEventStoreDb } from '#libs/testing/eventstoredb-fake/fake-event-store-db.js';
import { ranAgainst } from '../ran-against.js';

jest.setTimeout(120_000);
beforeAll(() => ranAgainst('EventStoreDB under faults: a fake'));

const clock = new SystemClock();
const pepper = randomBytes(32).toString('base64');
const ids = new IdFactory(Buffer.from(pepper, 'base64'));

let fake: FakeEventStoreDb;
let vault: MemoryKeyVault;
let opened: { close(): Promise<void> }[];
beforeEach(async () => {
  fake = await FakeEventStoreDb.start({ nodes: 3, foreignEvery: 7 });
  vault = new MemoryKeyVault();
  opened = [];
});
afterEach(async () => {
  fake.thaw();
  await Promise.all(opened.map((one) => one.close()));
  await fake.stop();
});

const settings = (more: { pepper?: string } = { pepper }) => ({
  eventStoreUrl: `${fake.url()}&namespace=acme`,
  dataDir: '/nowhere',
  ...more,
});
const beside = (): OpenSealedEventStoreOptions => ({
  operations: async () => memoryOperations(clock),
  vault: async () => vault,
});
const open = async (...given: Parameters<typeof settings>): Promise<SealedEventStoreSet> => {
  const set = await openSealedEventStore(settings(...given), clock, beside());
  opened.push(set);
  return set;
};

const CONTACTS = 500;
const BATCH = 25;
const contact = (n: number, delivery: string): BusMessage =>
  deliveryOf(ids, { externalId: `mail-${n}`, text: `canary ${n}`, threadId: `thread-${n % 40}` }, delivery);

/** As a consumer of a bus does: what may pass is tried again. */
const recordAll = async (set: SealedEventStoreSet, messages: readonly BusMessage[]): Promise<string[]> => {
  const intake = intakeOver(set);
  const statuses: string[] = [];
  for (let from = 0; from < messages.length; from += BATCH)
    for (;;)
      try {
        const outcomes = await intake.handle(messages.slice(from, from + BATCH));
        statuses.push(...outcomes.map(({ status }) => status));
        break;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await delay(20);
      }
  return statuses;
};

describe('recorders on a server that fails now and then', () => {
  it('record every contact once, and account for every delivery', async () => {
    const recorders = [await open(), await open()];
    // Every fifth contact is delivered twice, and the second time to the other recorder.
    const deliveries = recorders.map((_, one) =>
      Array.from({ length: CONTACTS }, (__, n) => n).flatMap((n) =>
        n % 2 === one || n % 5 === 0 ? [contact(n, `interactions/${one}/${n}`)] : [],
      ),
    );
    const faults: AppendFault[] = [
      'lost reply',
      'timeout after writing',
      'busy',
      'lost request',
      'cancelled',
      'unknown',
    ];
    let appends = 0;
    fake.faults.chooseAppend = () => (++appends % 31 === 0 ? faults[(appends / 31) % faults.length] : undefined);
    const happening = (async () => {
      for (const leader of [1, 2, 0]) {
        await delay(400);
        fake.electLeader(leader);
        await delay(200);
        fake.freeze();
        await delay(300);
        fake.thaw();
      }
    })();
    const statuses = await Promise.all(recorders.map((set, one) => recordAll(set, deliveries[one]!)));
    await happening;
    const sent = deliveries.flat().length;
    expect(statuses.flat()).toHaveLength(sent);
    expect(statuses.flat().filter((status) => status === 'recorded')).toHaveLength(CONTACTS);

    const log = await openSealedEventLog(settings({}), { vault: async () => vault });
    opened.push(log);
    const events = await collect(log.readAll({ after: 0 }));
    const texts = events.map(({ data }) => (data as { text: string }).text);
    expect(texts.toSorted()).toEqual(Array.from({ length: CONTACTS }, (_, n) => `canary ${n}`).toSorted());
    expect(new Set(events.map(({ stream }) => stream)).size).toBe(CONTACTS);
    expect(fake.log.records.some(({ data }) => Buffer.from(data).includes('canary'))).toBe(false);

    const [first, second] = [await recorders[0]!.ledger.totals(), await recorders[1]!.ledger.totals()];
    const [row] = first.rows;
    expect(row!.recorded).toBe(CONTACTS);
    expect(row!.recorded + row!.duplicate + second.rows[0]!.duplicate).toBe(sent);
    expect(first.countedThrough).toBe(events.at(-1)!.position);
    expect(await recorders[1]!.ledger.countLog(first.countedThrough)).toMatchObject({
      rows: [{ recorded: CONTACTS, corrected: 0 }],
    });
  });

  it('answers a delivery that another recorder takes over after a crash as recorded', async () => {
    const [one, other] = [await open(), await open()];
    const messages = [contact(1, 'interactions/0/1'), contact(2, 'interactions/0/2')];
    expect(await recordAll(one, messages.slice(0, 1))).toEqual(['recorded']);
    expect(await recordAll(other, [...messages, contact(1, 'interactions/0/3')])).toEqual([
      'recorded',
      'recorded',
      'duplicate',
    ]);
  });
});

describe('a projector beside them', () => {
  it('follows the log open, and is told when the server drops it', async () => {
    const set = await open();
    const drops: number[] = [];
    const onDropped = (_: unknown, dropsInARow: number): void => void drops.push(dropsInARow);
    const log = await openSealedEventLog(settings({}), { vault: async () => vault, onDropped });
    opened.push(log);
    const texts: string[] = [];
    log.subscribe(0, async (events) => void texts.push(...events.map(({ data }) => (data as { text: string }).text)));
    await recordAll(set, [contact(1, 'interactions/0/1')]);
    await until(() => texts.length === 1);
    fake.cancelSubscriptions();
    await until(() => drops.length === 1);
    await recordAll(set, [contact(2, 'interactions/0/2')]);
    await until(() => texts.length === 2);
    expect(texts).toEqual(['canary 1', 'canary 2']);
  });
});

describe('a log on a server', () => {
  it('is opened with its pepper alone, from its first program on', async () => {
    await open();
    const other = randomBytes(32).toString('base64');
    await expect(open({ pepper: other })).rejects.toMatchObject({
      code: 'DATA_DIRECTORY.PEPPER_MISMATCH',
      message: expect.stringMatching(
        /^HILO_PEPPER is not the one of the log at esdb:.*recorded a second time/,
      ) as string,
    });
    await expect(open({})).rejects.toMatchObject({
      code: 'SETTINGS.INVALID',
      message: expect.stringContaining('HILO_PEPPER: is needed') as string,
    });
    await open();
  });

  it('is not opened when it holds events, and nobody knows under which pepper', async () => {
    const store = EventStoreDbEventStore.open({ url: settings().eventStoreUrl });
    await store.append(newStream(), [eventOf()], 'no_stream');
    await store.close();
    await expect(open()).rejects.toMatchObject({ code: 'DATA_DIRECTORY.PEPPER_MISMATCH' });
  });

  it('is opened with its vault alone, to write and to read', async () => {
    await open();
    const mine = vault;
    vault = new MemoryKeyVault();
    const refused = { code: 'KEY_VAULT.MISMATCH' };
    await expect(open()).rejects.toMatchObject(refused);
    await expect(openSealedEventLog(settings({}), { vault: async () => vault })).rejects.toMatchObject(refused);
    vault = mine;
    await open();
  });

  it('is refused by a program that has no place for what lies beside it', async () => {
    const refused = { code: 'SETTINGS.INVALID', message: expect.stringContaining('no place for') as string };
    await expect(openSealedEventStore(settings(), clock)).rejects.toMatchObject(refused);
    await expect(openSealedEventLog(settings())).rejects.toMatchObject(refused);
  });

  it('agrees on the pepper of the first of many programs that begin it', async () => {
    const peppers = Array.from({ length: 6 }, () => randomBytes(32).toString('base64'));
    const begun = await Promise.allSettled(peppers.map((one) => open({ pepper: one })));
    expect(begun.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
