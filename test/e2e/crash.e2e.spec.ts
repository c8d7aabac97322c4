import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEventStore } from '#libs/event-store/open-event-store.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import {
  CrashLoad,
  contactOf,
  customerOfContact,
  emailOf,
  loyaltyOf,
  phoneOf,
  type Acknowledged,
} from './crash-load.js';
import type { HubClient } from './hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory } from './hub-process.js';
import { LogAudit, compareWithLog, copyFiles } from './log-audit.js';
import { randomOf, seedOf } from './random.js';
import { eventually } from './waiting.js';

/** Kills under load; a night may have more of them. */
const ROUNDS = Number(process.env.HILO_CRASH_ROUNDS ?? 50);
const FIRST_STARTS = Math.max(10, Math.round(ROUNDS / 5));
const SENDERS = 5;
const COMPARE_EVERY = 10;
const RECEIPTS_A_ROUND = 40;
/** A busy machine needs seconds for a start. */
const SUITE_MS = (ROUNDS + FIRST_STARTS) * 30_000 + 300_000;

jest.setTimeout(SUITE_MS);
afterAll(cleanUp);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Waits until the timelines show the whole log. */
const caughtUp = async (hub: HubProcess): Promise<void> => {
  const reader = await hub.client('agent');
  await eventually(async () => expect((await reader.get('/readyz')).body).toMatchObject({ behind: 0 }));
};

/** Somebody whose link tells that everything before it has been decided and is shown. */
const settle = async (hub: HubProcess, name: string): Promise<void> => {
  const [sender, reader] = [await hub.client('integration'), await hub.client('agent')];
  const identifiers = [
    { type: 'email', value: `${name}@example.net` },
    { type: 'account', value: name },
  ];
  await sender.take({ ...contactOf(0, 1), channel: 'letter', externalId: name, customer: { identifiers } });
  await eventually(async () => {
    const { identities } = await reader.customer(`email:${name}@example.net`);
    expect(identities).toHaveLength(2);
  });
};

/** Every acknowledged delivery must be in the log, at the place it was acknowledged with. */
const missingFrom = (audit: LogAudit, acknowledged: readonly Acknowledged[]): string[] => {
  const faults: string[] = [];
  for (const ack of acknowledged) {
    const stream = `interaction-${ack.receipt}`;
    const found = audit.events.get(ack.position);
    const isThere =
      found?.stream === stream &&
      found.externalId === `contact-${ack.contact}` &&
      (ack.status === 'duplicate' ||
        (found.revision === ack.revision &&
          found.type === (ack.status === 'recorded' ? 'InteractionRecorded' : 'InteractionCorrected')));
    if (!isThere) faults.push(`${JSON.stringify(ack)} was acknowledged, the log holds ${JSON.stringify(found)}`);
  }
  return faults;
};

/** What the API answers about receipts, beside what the log says. */
const compareReceipts = async (reader: HubClient, audit: LogAudit, receipts: readonly string[]): Promise<void> => {
  for (const receipt of receipts) {
    const newest = audit.newest.get(`interaction-${receipt}`)!;
    const status = newest.type === 'InteractionCorrected' ? 'corrected' : 'recorded';
    expect(await reader.receipt(receipt)).toMatchObject({ receipt, status, position: newest.position });
  }
};

describe('a hub that is killed again and again under load', () => {
  const seed = seedOf('HILO_CRASH_SEED');
  const random = randomOf(seed);
  const load = new CrashLoad(random, SENDERS);
  const audit = new LogAudit();
  let dataDir: string;

  beforeAll(() => {
    dataDir = temporaryDirectory();
  });

  /** Everything that must hold after a restart, for what was acknowledged since the last one. */
  const check = async (hub: HubProcess, since: number): Promise<void> => {
    await audit.read(dataDir);
    const fresh = load.acknowledged.slice(since);
    expect([...audit.faults, ...missingFrom(audit, fresh), ...load.surprises]).toEqual([]);
    const sampled = fresh.filter(() => random() < RECEIPTS_A_ROUND / fresh.length);
    await compareReceipts(
      await hub.client('agent'),
      audit,
      sampled.map(({ receipt }) => receipt),
    );
  };

  it(`keeps what it acknowledged, once, over ${ROUNDS} kills, and its read model is the fold of its log`, async () => {
    let checked = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      // Now and then the kill comes before the last one has been cleared up.
      if (random() < 0.1) {
        const unlucky = HubProcess.spawn({ dataDir });
        await Promise.race([sleep(100 + random() * 900), unlucky.url().catch(() => undefined)]);
        await unlucky.kill();
      }
      const hub = await HubProcess.start({ dataDir });
      await check(hub, checked);
      checked = load.acknowledged.length;
      // Otherwise a projector that starts slowly would never get to fold between two kills.
      if (random() < 0.7) await caughtUp(hub);
      const sending = load.run(await hub.client('integration'));
      await sleep(20 + random() * 380);
      expect(await hub.kill()).toEqual({ code: null, signal: 'SIGKILL' });
      load.stop();
      await sending;
      if (round % COMPARE_EVERY !== 0) continue;
      const copy = copyFiles(dataDir, join(temporaryDirectory(), 'copy'));
      const { found, folded, rebuilt, position, head } = await compareWithLog(copy);
      expect(folded).toEqual(found);
      expect(rebuilt ?? found).toEqual(found);
      rmSync(copy, { recursive: true });
      say(
        `round ${round}: ${load.contacts} contacts, ${JSON.stringify(load.counts)}, log at ${head}, timelines at ${position}`,
      );
    }
    // Otherwise the test has shown nothing.
    expect(load.counts.recorded).toBeGreaterThan(ROUNDS);
    expect(load.counts.duplicate).toBeGreaterThan(0);
    expect(load.counts.corrected).toBeGreaterThan(0);
    expect(load.counts.lost).toBeGreaterThan(0);
  });

  it('is whole in the end: log, receipts, ledger, timelines and links agree', async () => {
    const hub = await HubProcess.start({ dataDir });
    await settle(hub, 'the-last-one');
    await check(hub, 0);
    await caughtUp(hub);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });

    // The whole log again, from its beginning.
    const whole = await new LogAudit().read(dataDir);
    expect([...whole.faults, ...missingFrom(whole, load.acknowledged)]).toEqual([]);
    expect(whole.events).toEqual((await audit.read(dataDir)).events);

    const { found, folded, rebuilt, position, head } = await compareWithLog(
      copyFiles(dataDir, join(temporaryDirectory(), 'copy')),
    );
    expect(position).toBe(head);
    expect(folded).toEqual(found);
    expect(rebuilt).toEqual(found);

    const set = await openEventStore({ eventStoreUrl: 'sqlite:', dataDir });
    try {
      const [totals, counted] = [await set.ledger.totals(), await set.ledger.countLog()];
      const comparable = totals.rows.map(({ duplicate: _, parked: __, ...row }) => row);
      expect(comparable).toEqual(counted.rows);
      expect(totals.countedThrough).toBe(counted.through);
      expect(totals.rows.map(({ parked }) => parked)).toEqual(totals.rows.map(() => 0));
      // Counted before they were answered; of those nobody heard of there may be more.
      const duplicates = totals.rows.reduce((sum, { duplicate }) => sum + duplicate, 0);
      expect(duplicates).toBeGreaterThanOrEqual(load.counts.duplicate);
    } finally {
      await set.close();
    }
    const reconciled = await hilo(dataDir, 'reconcile');
    expect(reconciled).toMatchObject({ code: 0, stderr: expect.stringContaining('everything adds up') as unknown });

    expect(whole.links).toBeGreaterThan(0);
    expect(await partedPeople(dataDir)).toEqual([]);
    say(`${ROUNDS} rounds: ${whole.recorded} contacts, ${whole.links} links, log at ${head}`);
  });

  /** Customers that are more or fewer than one. */
  const partedPeople = async (directory: string): Promise<string[]> => {
    const readModel = SqliteReadModel.open({ file: join(directory, 'read-model.db') });
    try {
      const rows = await readModel.db.selectFrom('identity').select(['type', 'value', 'customer']).execute();
      const customerBy = new Map(rows.map(({ type, value, customer }) => [`${type}:${value}`, customer]));
      const seen = new Map<number, number>();
      const faults: string[] = [];
      // A customer is whole once its first and its last contact are recorded.
      const recorded = new Set(load.acknowledged.map(({ contact }) => contact));
      for (let customer = 0; customer <= customerOfContact(load.contacts - 1); customer++) {
        if (!recorded.has(customer * 4) || !recorded.has(customer * 4 + 3)) continue;
        const own = [
          customerBy.get(`email:${emailOf(customer)}`),
          customerBy.get(`phone:${phoneOf(customer)}`),
          customerBy.get(`loyalty:${loyaltyOf(customer)}`),
        ];
        if (own[0] === undefined || new Set(own).size !== 1) faults.push(`customer ${customer} is ${own.join(', ')}`);
        else if (seen.has(own[0])) faults.push(`customers ${seen.get(own[0])} and ${customer} are one`);
        else seen.set(own[0], customer);
      }
      expect(seen.size).toBeGreaterThan(0);
      return faults;
    } finally {
      await readModel.close();
    }
  };
});

describe('a first start that is killed', () => {
  it(`leaves a directory that starts, with the keys of a first start, ${FIRST_STARTS} times`, async () => {
    const random = randomOf(seedOf('HILO_CRASH_START_SEED'));
    const faults: string[] = [];
    for (let round = 0; round < FIRST_STARTS; round++) {
      const dataDir = temporaryDirectory();
      // As its files appear, one after the other, it is killed at one of them, or a moment later.
      const files = Math.ceil((16 * (round + random())) / FIRST_STARTS);
      const killed = HubProcess.spawn({ dataDir });
      const listens = killed.url().then(() => true);
      while (readdirSync(dataDir).length < files && !(await Promise.race([listens, sleep(1, false)])));
      if (random() < 0.5) await sleep(random() * 20);
      await killed.kill();
      const left = readdirSync(dataDir).toSorted().join(' ');
      try {
        const hub = await HubProcess.start({ dataDir });
        const sender = await hub.client('integration');
        expect(await sender.take(contactOf(0, 1))).toMatchObject([{ status: 'recorded' }]);
        await hub.kill();
      } catch (error) {
        faults.push(`killed with ${left}: ${String(error)}`);
      }
    }
    expect(faults).toEqual([]);
  });
});
