import type { Kysely } from 'kysely';
import { HubError, SystemClock, type Clock } from '#libs/kernel';
import { connectPostgres, openPostgres, schemaFor, type PostgresOptions } from '#libs/kernel/postgres.js';
import { lockSchema, migratePostgres, type SchemaReport } from '#libs/kernel/postgres-migrations.js';
import { scrubTables } from '#libs/kernel/postgres-scrub.js';
import type { MasterKey } from '../../master-key/master-key.js';
import type { KeyVaultSchema } from '../key-vault.schema.js';
import { KyselyKeyVault } from '../kysely.key-vault.js';

/**
 * Tables of the vault, in the order of `sqlite.key-vault.ts`. A step stays as it is; the next change is the next step.
 * Of wrapped keys the server keeps no samples in its statistics, which would outlive them.
 */
const MIGRATIONS = [
  {
    name: 'tables',
    sql: `
CREATE TABLE data_key (
  identity bytea PRIMARY KEY, version integer NOT NULL, master integer NOT NULL, wrapped bytea,
  "createdAt" bigint NOT NULL, "destroyedAt" bigint);
ALTER TABLE data_key ALTER wrapped SET STATISTICS 0;
CREATE TABLE master_key (key integer PRIMARY KEY, fingerprint text NOT NULL, state text NOT NULL, "createdAt" bigint NOT NULL);
CREATE TABLE vault (id text COLLATE "C" PRIMARY KEY, destructions bigint NOT NULL);
CREATE TABLE erased (id bytea PRIMARY KEY, erasure bytea NOT NULL);
CREATE INDEX erased_by ON erased (erasure);
CREATE TABLE erasure (id bytea PRIMARY KEY, tenant text NOT NULL, "begunAt" bigint NOT NULL, "endedAt" bigint);
`,
  },
];

/** A key that another program destroyed is sealed with no longer than this. */
const FORGET_MS = 1000;

export interface PostgresKeyVaultOptions {
  /** `postgres://…` */
  url: string;
  masters: readonly MasterKey[];
  /** It makes and destroys no keys. @default false */
  readonly?: boolean;
  /** @default the system's */
  clock?: Clock;
  /** Most keys held unwrapped. @default 50000 */
  cachedKeys?: number;
}

const optionsOf = (url: string) => ({ url, schema: schemaFor(url, 'keys'), room: 'KEY_VAULT' });

/**
 * The vault in a schema of a PostgreSQL database, for as many programs as like.
 *
 * A destroyed key is gone from the files of its table, yet the server's write-ahead log, its replicas and base backups hold the
 * wrapped key until they are recycled: it is gone for good once those are, or once the master key was rotated and the old
 * one destroyed.
 * @throws HubError `KEY_VAULT.UNAVAILABLE` (retryable), `KEY_VAULT.MASTER_KEY_MISMATCH`, `KEY_VAULT.ROTATION_UNFINISHED`
 */
export const openPostgresKeyVault = async ({
  url,
  masters,
  readonly = false,
  clock = new SystemClock(),
  cachedKeys,
}: PostgresKeyVaultOptions): Promise<KyselyKeyVault> => {
  const options = optionsOf(url);
  if (!readonly) await migratePostgres(options, MIGRATIONS);
  const pool = openPostgres({ ...options, readonly });
  // Two programs that begin a vault together begin one.
  const turn = await connectPostgres(options);
  try {
    await turn.query('BEGIN');
    await lockSchema(turn, options.schema);
    return await KyselyKeyVault.open(pool.kysely<KeyVaultSchema>(), {
      masters,
      clock,
      readonly,
      sharedForgetMs: FORGET_MS,
      ...(cachedKeys !== undefined && { cachedKeys }),
      ...(!readonly && { scrub: () => scrub(options) }),
    });
  } catch (error) {
    await pool.end();
    throw error;
  } finally {
    turn.release();
  }
};

/** The tables of a vault that is to become the copy of another. */
export interface PostgresVaultTables {
  db: Kysely<KeyVaultSchema>;
  /**
   * Leaves nothing of keys that were destroyed in the files of the server.
   * @throws HubError `KEY_VAULT.UNAVAILABLE`, retryable
   */
  scrub(): Promise<void>;
  close(): Promise<void>;
}

/** @throws HubError `KEY_VAULT.UNAVAILABLE`, retryable */
export const openPostgresVaultTables = async (url: string): Promise<PostgresVaultTables> => {
  const options = optionsOf(url);
  await migratePostgres(options, MIGRATIONS);
  const db = openPostgres(options).kysely<KeyVaultSchema>();
  return { db, scrub: () => scrub(options), close: () => db.destroy() };
};

/** @throws HubError `KEY_VAULT.UNAVAILABLE`, retryable */
export const ensureKeyVaultSchema = async (url: string): Promise<SchemaReport> => {
  const options = optionsOf(url);
  return { schema: options.schema, taken: await migratePostgres(options, MIGRATIONS) };
};

const scrub = async (options: PostgresOptions): Promise<void> => {
  if (!(await scrubTables(options, ['data_key'])))
    throw new HubError('KEY_VAULT.UNAVAILABLE', 'a destroyed key is still being read by somebody; ask again', {
      retryable: true,
    });
};

/** Whether a vault was begun here: then its master key must not be made anew. */
export const isPostgresKeyVault = async (url: string): Promise<boolean> => {
  const options = optionsOf(url);
  const session = await connectPostgres({ ...options, readonly: true });
  try {
    const tables = await session.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
      `${options.schema}.master_key`,
    ]);
    return tables.rows[0]!.found && (await session.query('SELECT 1 FROM master_key LIMIT 1')).rows.length > 0;
  } finally {
    session.release();
  }
};
