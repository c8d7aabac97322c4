import { openPostgres, schemaFor, type PostgresPool } from '#libs/kernel/postgres.js';
import { migratePostgres, type SchemaReport } from '#libs/kernel/postgres-migrations.js';
import { scrubTables } from '#libs/kernel/postgres-scrub.js';

/** What is kept beside the log, in the order of `events-file.ts`. A step stays as it is; the next change is the next step. */
const MIGRATIONS = [
  {
    name: 'tables',
    sql: `
CREATE TABLE mark (name text COLLATE "C" PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE ledger (
  tenant text COLLATE "C", channel text COLLATE "C", account text COLLATE "C", recorded bigint NOT NULL,
  duplicate bigint NOT NULL, corrected bigint NOT NULL, parked bigint NOT NULL, PRIMARY KEY (tenant, channel, account));
CREATE TABLE parked (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id bytea NOT NULL UNIQUE, tenant text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL, account text COLLATE "C" NOT NULL, stage text NOT NULL, reason_code text NOT NULL,
  reason text NOT NULL, attempts bigint NOT NULL, received_at bigint NOT NULL, parked_at bigint NOT NULL,
  status text NOT NULL, content_type text NOT NULL, receipt text, outcome text, discarded_by text,
  discard_reason text, bytes bytea NOT NULL);
ALTER TABLE parked ALTER bytes SET STATISTICS 0;
CREATE INDEX parked_of_tenant ON parked (tenant, status, number);
`,
  },
  {
    name: 'installation',
    sql: 'CREATE TABLE installation (name text COLLATE "C" PRIMARY KEY, value text NOT NULL)',
  },
];

const optionsOf = (url: string) => ({ url, schema: schemaFor(url, 'operations'), room: 'EVENT_STORE' });

/** @throws HubError `EVENT_STORE.UNAVAILABLE`, retryable */
export const ensureOperationsSchema = async (url: string): Promise<SchemaReport> => {
  const options = optionsOf(url);
  return { schema: options.schema, taken: await migratePostgres(options, MIGRATIONS) };
};

/**
 * Opens the schema of parked messages and delivery counts, for as many programs as like; `end` closes it.
 * @throws HubError `EVENT_STORE.UNAVAILABLE`, retryable
 */
export const openOperations = async (url: string): Promise<PostgresPool> => {
  const options = optionsOf(url);
  await migratePostgres(options, MIGRATIONS);
  return openPostgres(options);
};

/**
 * Leaves nothing of purged messages in the files of the server.
 * @returns whether that is done; otherwise call it again
 * @throws HubError `EVENT_STORE.UNAVAILABLE`, retryable
 */
export const scrubOperations = (url: string): Promise<boolean> => scrubTables(optionsOf(url), ['parked']);
