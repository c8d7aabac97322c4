import { apiKeyRowsOf, putApiKeyRows } from '#libs/access/postgres.api-keys.js';
import type { ApiKeyRow } from '#libs/access/stored.api-keys.js';
import { apiKeyRowsIn } from '#libs/access/sqlite.api-keys.js';
import { carryCounts } from '#libs/event-store/copy/carry-counts.js';
import { carryInstallation } from '#libs/event-store/copy/copied-installation.js';
import { compareLogs, copyLog } from '#libs/event-store/copy/copy-log.js';
import { parkedRowsIn, parkedRowsOf, putParkedRow } from '#libs/event-store/copy/copy-parked.js';
import { PostgresDeliveryLedger } from '#libs/event-store/ledger/postgres.delivery-ledger.js';
import { readSavedLedger } from '#libs/event-store/ledger/sqlite.delivery-ledger.js';
import { scrubOperations } from '#libs/event-store/postgres/operations-schema.js';
import { HubError, SystemClock } from '#libs/kernel';
import { HubSettings } from '#libs/kernel/settings.js';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import { copyVault, dataKeyPages, erasedPages, erasurePages, masterKeysOf } from '#libs/privacy/vault/copy-vault.js';
import { Projector, type EventLog } from '#libs/projections/projector/projector.js';
import { rebuild } from '#libs/projections/rebuild/rebuild.js';
import { tableDigests, type TableDigest } from '#libs/projections/rebuild/table-digests.js';
import { vaultOf } from '../../../shared/src/open-cluster.js';
import { oldDigests } from '../commands/rebuild.js';
import { failure } from '../errors.js';
import { grouped } from '../format/table.js';
import { openLog } from '../open-data.js';
import type { MigrationSource } from './migration-source.js';
import { shownIn, type MigrationTarget } from './migration-target.js';
import { each, sumRows, type Sum } from './sum-rows.js';

/** What was compared at the end of a step. */
export interface Compared {
  what: string;
  /** Absent where the hub has nothing to compare with. */
  hub?: Sum;
  cluster: Sum;
}

export interface StepTools {
  source: MigrationSource;
  target: MigrationTarget;
  /** Appends under way at a time. */
  inFlight: number;
  /** Fires when the work is to stop where it can go on. */
  signal: AbortSignal;
  progress: (done: number, total: number, text: string) => void;
  /** Whether the copied log has the order of the hub's across streams too; told by the first step. */
  sameOrder?: boolean;
}

/** One part of a migration. Taken again, it goes on where it was, or finds that nothing is left to do. */
export interface Step {
  name: string;
  /** What it makes follows from what was copied before: the programs can go on with it, whatever the hub had. */
  derived?: true;
  /** @returns what was compared, or undefined when it was stopped */
  run: (tools: StepTools) => Promise<Compared[] | undefined>;
}

/** Undefined where there was nothing to compare with. */
export const isSame = ({ hub, cluster }: Compared): boolean | undefined =>
  hub && hub.count === cluster.count && hub.checksum === cluster.checksum;

const copyEvents: Step['run'] = async (tools) => {
  const { source, target, inFlight, signal, progress } = tools;
  const onProgress = (what: string) => (done: number, head: number) =>
    progress(done, head, `${what}, position ${grouped(done)} of ${grouped(head)}`);
  const { through, complete } = await copyLog(source.log, target.log, {
    inFlight,
    signal,
    onProgress: onProgress('copied'),
  });
  if (!complete) return undefined;
  const comparison = await compareLogs(source.log, target.log, through, {
    signal,
    onProgress: onProgress('compared'),
  });
  if (!comparison) return undefined;
  tools.sameOrder = comparison.sameOrder;
  const [hub, cluster] = [comparison.source, comparison.target].map(({ events, content }) => ({
    count: events,
    checksum: content,
  })) as [Sum, Sum];
  if (comparison.same) await carryInstallation(source.log.installation, target.log.installation);
  return [{ what: 'events', hub, cluster }];
};

const copyKeys: Step['run'] = async ({ source, target, signal, progress }) => {
  const { vault } = target;
  const all = await countOf(source);
  const onProgress = (done: number): void => progress(done, all, `${grouped(done)} of ${grouped(all)} keys`);
  if (!(await copyVault(source.vault, vault.db, { signal, onProgress }))) return undefined;
  // A run before this one may have copied what is destroyed by now.
  await vault.scrub();
  const both = async (what: string, sum: (db: MigrationSource['vault']) => Promise<Sum>): Promise<Compared> => ({
    what,
    hub: await sum(source.vault),
    cluster: await sum(vault.db),
  });
  return [
    await both('master keys', async (db) => sumRows(await masterKeysOf(db))),
    await both('data keys', (db) => sumRows(each(dataKeyPages(db)))),
    await both('erased ids', (db) => sumRows(each(erasedPages(db)))),
    await both('erasures', (db) => sumRows(each(erasurePages(db)))),
  ];
};

const countOf = async ({ vault }: MigrationSource): Promise<number> => {
  const { all } = await vault
    .selectFrom('data_key')
    .select(({ fn }) => fn.countAll<number>().as('all'))
    .executeTakeFirstOrThrow();
  return all;
};

const copyParked: Step['run'] = async ({ source, target, signal, progress }) => {
  const { operations, settings } = target;
  let done = 0;
  for await (const row of parkedRowsIn(source.log.db)) {
    if (signal.aborted) return undefined;
    await putParkedRow(operations, row);
    progress(++done, done, `${grouped(done)} messages`);
  }
  // The same: one that was purged since must not lie there any more.
  if (!(await scrubOperations(settings.readModelUrl)))
    throw new HubError('COPY.BUSY', 'a parked message is still being read by somebody; run hilo migrate again', {
      retryable: true,
    });
  const [hub, cluster] = [await sumRows(parkedRowsIn(source.log.db)), await sumRows(parkedRowsOf(operations))];
  return [{ what: 'parked messages', hub, cluster }];
};

const copyApiKeys: Step['run'] = async ({ source, target }) => {
  const url = target.settings.readModelUrl;
  const rows = apiKeyRowsIn(source.settings.dataDir);
  await putApiKeyRows(url, rows);
  const ids = new Set(rows.map(({ id }) => id));
  const there = (await apiKeyRowsOf(url)).filter(({ id }) => ids.has(id));
  return [{ what: 'API keys', hub: await sumRows(rows.map(lasting)), cluster: await sumRows(there.map(lasting)) }];
};

/** What no use, rotation or revocation of a key changes. */
const lasting = ({ id, hash, tenant, role, scopes, label, created_at }: ApiKeyRow): object => ({
  id,
  hash,
  tenant,
  role,
  scopes,
  label,
  created_at,
});

const countDeliveries: Step['run'] = async ({ source, target }) => {
  const saved = readSavedLedger(source.log);
  await carryCounts(target.operations, saved.rows);
  const totals = await new PostgresDeliveryLedger(target.operations, target.log).totals();
  return [{ what: 'delivery counts', hub: await sumRows(saved.rows), cluster: await sumRows(totals.rows) }];
};

const foldTimelines: Step['run'] = async (tools) => {
  const { source, target, sameOrder = false } = tools;
  const log = await openSealedEventLog(target.settings, { vault: vaultOf(target.settings, new SystemClock()) });
  try {
    if (!(await fold(tools, log))) return undefined;
  } finally {
    await log.close();
  }
  const readModel = await target.home.open({ readonly: true });
  try {
    const after = await tableDigests(readModel, { positions: false });
    const before = await digestsOfHub(source);
    // Keys of rows count up in the order of the log.
    const sumOf = ({ rows, sha256 }: TableDigest): Sum => ({ count: rows, checksum: sameOrder ? sha256 : '' });
    return after.map((digest) => {
      const hub = before?.find(({ table }) => table === digest.table);
      return { what: `timelines: ${digest.table}`, ...(hub && { hub: sumOf(hub) }), cluster: sumOf(digest) };
    });
  } finally {
    await readModel.close();
  }
};

/** @returns whether it came to its end */
const fold = async ({ target: { home }, signal, progress }: StepTools, log: EventLog): Promise<boolean> => {
  const report = (position: number, head: number): void =>
    progress(position, head, `position ${grouped(position)} of ${grouped(head)}`);
  if ((await shownIn(home)) === 0) return (await rebuild({ home, log, signal, report })) !== undefined;
  // A run before this one came to its end; the hub has recorded more since.
  const readModel = await home.open();
  try {
    const head = await log.head();
    await new Projector(readModel, log).catchUp((position) => report(position, head));
  } finally {
    await readModel.close();
  }
  if (home.deletedRows && !(await home.deletedRows.scrub()))
    throw failure('deleted rows of the timelines are still being read by somebody; run hilo migrate again');
  return true;
};

/** The hub's own timelines, caught up; undefined where there are none to compare with. */
const digestsOfHub = async ({ settings: given }: MigrationSource) => {
  const settings = Object.assign(new HubSettings(), given, { readModelUrl: 'sqlite:' });
  const log = await openLog(settings);
  try {
    return await oldDigests(settings, log, { positions: false });
  } finally {
    await log.close();
  }
};

/** In this order: keys are there before anything is opened with them. */
export const STEPS: readonly Step[] = [
  { name: 'log', run: copyEvents },
  { name: 'key vault', run: copyKeys },
  { name: 'parked messages', run: copyParked },
  { name: 'API keys', run: copyApiKeys },
  { name: 'delivery counts', run: countDeliveries, derived: true },
  { name: 'timelines', run: foldTimelines, derived: true },
];
