import { randomUUID } from 'node:crypto';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { streamId } from '#libs/event-store';
import { openPostgres } from '#libs/kernel/postgres.js';
import { interactionContent } from '#libs/testing';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { ProjectionProgress, type ProjectionAdvance } from '../progress.port.js';
import { foldStatements } from '../projector/statements.js';
import { PROJECTOR, READ_MODEL_VERSION } from '../read-model/read-model.port.js';
import { Projector } from '../projector/projector.js';
import { PostgresReadModel, readModelSchema } from '../read-model/postgres/postgres.read-model.js';
import { PostgresProgressAnnouncer, PostgresProgressFeed } from './postgres.progress-feed.js';
import { LEASE_MS, PostgresProjectorLease } from './postgres.projector-lease.js';

const newAddress = postgresForTests();
const PATIENCE_MS = 10_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const open = async (url = newAddress()) => {
  const readModel = await PostgresReadModel.open({ url, connections: 1 });
  closing.push(() => readModel.close());
  return { url, readModel };
};

/** A program that wants to lead; `leads` resolves when it does. */
const candidate = (url: string, leaseMs: number) => {
  const lease = new PostgresProjectorLease({ url, leaseMs });
  const stop = new AbortController();
  let leading: () => void;
  let losing: () => void;
  const leads = new Promise<void>((resolve) => (leading = resolve));
  const lost = new Promise<void>((resolve) => (losing = resolve));
  const over = lease.lead(async (signal) => {
    leading();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    losing();
  }, stop.signal);
  let closed: Promise<void> | undefined;
  /** As if it had crashed: it says nothing more. */
  const crash = () => (closed ??= lease.close());
  const end = async () => {
    stop.abort();
    await over;
    await crash();
  };
  closing.push(end);
  return { leads, lost, end, crash };
};

describe('the lease of the projector', () => {
  it('is held by one at a time, and given to the next when it is given up', async () => {
    const { url } = await open();
    const one = candidate(url, 900);
    await one.leads;
    const two = candidate(url, 900);
    const first = await Promise.race([two.leads.then(() => 'two'), wait(1500).then(() => 'nobody')]);
    expect(first).toBe('nobody');
    await one.end();
    await two.leads;
  });

  it('goes to a standby when its holder is gone, within 15 s', async () => {
    const { url } = await open();
    const one = candidate(url, 900);
    await one.leads;
    const two = candidate(url, 900);
    await one.crash();
    await two.leads;
    await one.lost;
    // A standby asks three times a lease.
    expect(LEASE_MS + LEASE_MS / 3).toBeLessThan(15_000);
  });

  it('is kept while connections break', async () => {
    const { url } = await open();
    const one = candidate(url, 3000);
    await one.leads;
    await breakConnections(url);
    expect(await Promise.race([one.lost.then(() => 'lost'), wait(4000).then(() => 'kept')])).toBe('kept');
  });
});

it('a projector that was taken for dead finds the checkpoint moved, and writes nothing', async () => {
  const { url, readModel } = await open();
  const store = new MemoryEventStore();
  const contact = async (n: number) => {
    const id = (letter: string) => `${letter}0000000-0000-8000-8000-00000000000${n}`;
    const data = interactionContent({ externalId: `m${n}`, digest: `d${n}` });
    const event = { id: id('e'), type: 'InteractionRecorded', schema: 1, tenant: 'acme', data };
    await store.append(streamId('interaction', id('1')), [event], 'no_stream');
  };
  await contact(1);
  const stalled = new Projector(readModel, store);
  await stalled.catchUp();
  const { readModel: other } = await open(url);
  await contact(2);
  await new Projector(other, store).catchUp();
  await contact(3);
  await expect(stalled.catchUp()).rejects.toMatchObject({ code: 'READ_MODEL.FENCED' });
  await new Projector(other, store).catchUp();
  const entries = await other.db.selectFrom('entry').select('position').orderBy('position').execute();
  expect(entries.map(({ position }) => position)).toEqual([1, 2, 3]);
});

it('a projector that falls silent inside of a transaction keeps whoever leads instead waiting for seconds only', async () => {
  const { url, readModel } = await open();
  const store = new MemoryEventStore();
  const data = interactionContent({ externalId: 'm1', digest: 'd1' });
  const event = { id: randomUUID(), type: 'InteractionRecorded', schema: 1, tenant: 'acme', data };
  await store.append(streamId('interaction', randomUUID()), [event], 'no_stream');
  await new Projector(readModel, store).checkpoint();
  let speak: () => void;
  const silence = new Promise<void>((resolve) => (speak = resolve));
  const cutOff = readModel.transaction(async (session) => {
    const moved = { name: PROJECTOR, version: READ_MODEL_VERSION, previous: 0, next: 1 };
    await session.all(foldStatements(readModel.db).moveCheckpoint, moved);
    await silence;
  });
  const { readModel: other } = await open(url);
  const leading = new Projector(other, store);
  await leading.catchUp();
  expect(await leading.checkpoint()).toBe(1);
  speak!();
  await expect(cutOff).rejects.toMatchObject({ code: 'READ_MODEL.UNAVAILABLE', retryable: true });
}, 30_000);

describe('progress across programs', () => {
  const listening = (url: string) => {
    const progress = new ProjectionProgress();
    const heard: ProjectionAdvance[] = [];
    progress.onAdvance((advance) => heard.push(advance));
    const feed = new PostgresProgressFeed(url, progress);
    closing.push(() => feed.close());
    return { progress, heard };
  };
  const announcing = (url: string) => {
    const announcer = new PostgresProgressAnnouncer(url);
    closing.push(() => announcer.close());
    return announcer;
  };

  it('is heard by everybody, with every correction', async () => {
    const { url } = await open();
    const announcer = announcing(url);
    const listeners = [listening(url), listening(url)];
    await announcer.announce({ position: 1, corrected: [] });
    for (const { progress } of listeners) expect(await progress.reached(1, PATIENCE_MS)).toBe(true);
    const corrected = Array.from({ length: 1001 }, (_, n) => Number.MAX_SAFE_INTEGER - n);
    await announcer.announce({ position: 2, corrected });
    await announcer.announce({ position: 3, corrected: [] });
    for (const { progress, heard } of listeners) {
      expect(await progress.reached(3, PATIENCE_MS)).toBe(true);
      expect(heard.flatMap((advance) => advance.corrected)).toEqual(corrected);
    }
  });

  it('is known to whoever comes later', async () => {
    const { url } = await open();
    await announcing(url).announce({ position: 7, corrected: [] });
    expect(await listening(url).progress.reached(7, PATIENCE_MS)).toBe(true);
  });

  it('is heard again after connections broke', async () => {
    const { url } = await open();
    const announcer = announcing(url);
    const { progress } = listening(url);
    await announcer.announce({ position: 1, corrected: [] });
    expect(await progress.reached(1, PATIENCE_MS)).toBe(true);
    await breakConnections(url);
    await announcer
      .announce({ position: 2, corrected: [] })
      .catch(() => announcer.announce({ position: 2, corrected: [] }));
    expect(await progress.reached(2, PATIENCE_MS)).toBe(true);
    await announcer.announce({ position: 3, corrected: [] });
    expect(await progress.reached(3, PATIENCE_MS)).toBe(true);
  });
});

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** As a restart of the server, or of something in between. */
const breakConnections = async (url: string): Promise<void> => {
  const pool = openPostgres({ url, schema: 'public', room: 'TEST', connections: 1 });
  await pool.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
    readModelSchema(url),
  ]);
  await pool.end();
};
