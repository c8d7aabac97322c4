import { randomUUID } from 'node:crypto';
import { apiKeyRowsOf } from '#libs/access/postgres.api-keys.js';
import { checkInstallation } from '#libs/event-store/copy/copied-installation.js';
import { resumeAfter } from '#libs/event-store/copy/copy-log.js';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { COPY, PEPPER } from '#libs/event-store/installation.js';
import { openOperations } from '#libs/event-store/postgres/operations-schema.js';
import { PostgresCopyState } from '#libs/event-store/postgres/postgres.copy-state.js';
import { PostgresInstallation } from '#libs/event-store/postgres/postgres.installation.js';
import { schemaFor, type PostgresPool } from '#libs/kernel/postgres.js';
import { HubSettings } from '#libs/kernel/settings.js';
import { beginVaultCopy, vaultIdOf } from '#libs/privacy/vault/copy-vault.js';
import { openPostgresVaultTables, type PostgresVaultTables } from '#libs/privacy/vault/postgres/postgres.key-vault.js';
import { openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import type { ReadModelHome } from '#libs/projections/read-model/read-model-home.port.js';
import { readModelSchema } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { PROJECTOR } from '#libs/projections/read-model/read-model.port.js';
import { Closing } from '../../../shared/src/closing.js';
import { ensureSchemas } from '../commands/schema.js';
import { failure } from '../errors.js';
import type { MigrationSource } from './migration-source.js';

/** The servers that the programs will share. */
export interface MigrationTarget {
  /** Settings of the programs. */
  settings: HubSettings;
  log: EventStoreDbEventStore;
  /** Parked messages and delivery counts. */
  operations: PostgresPool;
  state: PostgresCopyState;
  vault: PostgresVaultTables;
  home: ReadModelHome;
  close(): Promise<void>;
}

/**
 * Opens both servers; tables that are missing are made.
 * @param given with the address of the database
 * @param eventStoreUrl `esdb://…`
 * @throws HubError `SETTINGS.INVALID`, `….UNAVAILABLE` (retryable)
 */
export const openMigrationTarget = async (given: HubSettings, eventStoreUrl: string): Promise<MigrationTarget> => {
  const settings = Object.assign(new HubSettings(), given, { eventStoreUrl });
  const url = settings.readModelUrl;
  const closing = new Closing();
  try {
    const log = EventStoreDbEventStore.open({ url: eventStoreUrl });
    closing.add(() => log.close());
    await ensureSchemas(url);
    const operations = await openOperations(url);
    closing.add(() => operations.end());
    const vault = await openPostgresVaultTables(url);
    closing.add(() => vault.close());
    const home = await openReadModelHome(settings);
    const state = new PostgresCopyState(operations);
    return { settings, log, operations, state, vault, home, close: () => closing.all() };
  } catch (error) {
    await closing.all();
    throw error;
  }
};

/**
 * Refuses servers that hold anything but an earlier run's work, and marks them as ours: until `state.end()` no program
 * starts on them.
 * @throws HubError `COPY.OTHER_LOG`, `COPY.OTHER_INSTALLATION`, `COPY.IN_USE`
 */
export const claimTarget = async ({ log: source }: MigrationSource, target: MigrationTarget): Promise<void> => {
  const { log, operations, state } = target;
  await checkInstallation(source.installation, log.installation);
  await resumeAfter(source, log);
  if (!(await state.isBegun())) await refuseOthersData(target);
  const pepper = (await source.installation.recall(PEPPER))!;
  await state.begin(`${pepper} ${await log.installation.keep(COPY, randomUUID())}`);
  await new PostgresInstallation(operations).keep(PEPPER, pepper);
};

/** Binds the vault of the database to that of the data directory. */
export const claimVault = (source: MigrationSource, { vault }: MigrationTarget): Promise<void> =>
  beginVaultCopy(source.vault, vault.db);

const refuseOthersData = async (target: MigrationTarget): Promise<void> => {
  const { operations, vault, settings, home } = target;
  const tableHasRows = async (table: string): Promise<boolean> =>
    (await operations.query(`SELECT 1 FROM ${table} LIMIT 1`)).rows.length > 0;
  const found = [
    ...((await vaultIdOf(vault.db)) === undefined ? [] : ['a key vault']),
    ...((await tableHasRows('installation')) ? ['a pepper'] : []),
    ...((await tableHasRows('parked')) ? ['parked messages'] : []),
    ...((await tableHasRows('ledger')) ? ['delivery counts'] : []),
    ...((await apiKeyRowsOf(settings.readModelUrl)).length === 0 ? [] : ['API keys']),
    ...((await shownIn(home)) === 0 && !(await hasOtherTimelines(target)) ? [] : ['timelines']),
  ];
  if (found.length > 0)
    throw failure(
      `HILO_READ_MODEL_URL: holds ${found.join(', ')} that this command has not put there; name a database (or ?schema=…) ` +
        'that no hub and no program has begun anything in',
    );
};

/** Those of another release. */
const hasOtherTimelines = async ({ operations, settings: { readModelUrl } }: MigrationTarget): Promise<boolean> => {
  const { rows } = await operations.query(
    'SELECT 1 FROM pg_namespace WHERE starts_with(nspname, $1) AND nspname <> $2',
    [schemaFor(readModelUrl, 'read_model_'), readModelSchema(readModelUrl)],
  );
  return rows.length > 0;
};

/** Through which position timelines are shown; 0 where there are none. */
export const shownIn = async (home: ReadModelHome): Promise<number> => {
  if (!(await home.exists())) return 0;
  const readModel = await home.open({ readonly: true });
  try {
    const checkpoint = await readModel.db
      .selectFrom('checkpoint')
      .select('position')
      .where('name', '=', PROJECTOR)
      .executeTakeFirst();
    return checkpoint?.position ?? 0;
  } finally {
    await readModel.close();
  }
};
