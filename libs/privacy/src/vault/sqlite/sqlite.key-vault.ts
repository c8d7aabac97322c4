import { existsSync } from 'node:fs';
import type * as KyselyPackage from 'kysely';
import type { Kysely, SqliteDatabase as KyselySqliteDatabase } from 'kysely';
import { SystemClock, type Clock } from '#libs/kernel';
import { latePackage } from '#libs/kernel/late-package.js';
import { openSqlite } from '#libs/kernel/sqlite.js';
import type { MasterKey } from '../../master-key/master-key.js';
import type { KeyVaultSchema } from '../key-vault.schema.js';
import { VaultThreadDriver } from '../thread/vault-thread.driver.js';
import type { VaultThread } from '../thread/vault-thread.js';
import { KyselyKeyVault } from '../kysely.key-vault.js';
import { openKeysFile } from './keys-file.js';

// As CommonJS it is the copy that the read model uses too.
const kysely = latePackage<typeof KyselyPackage>('kysely');

const TABLES = `
CREATE TABLE IF NOT EXISTS data_key (
  identity BLOB PRIMARY KEY, version INTEGER NOT NULL, master INTEGER NOT NULL, wrapped BLOB, createdAt INTEGER NOT NULL,
  destroyedAt INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS master_key (
  key INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, state TEXT NOT NULL, createdAt INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS vault (id TEXT PRIMARY KEY, destructions INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS erased (id BLOB PRIMARY KEY, erasure BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS erased_by ON erased (erasure);
CREATE TABLE IF NOT EXISTS erasure (
  id BLOB PRIMARY KEY, tenant TEXT NOT NULL, begunAt INTEGER NOT NULL, endedAt INTEGER) STRICT, WITHOUT ROWID;
`;

export interface SqliteKeyVaultOptions {
  file: string;
  masters: readonly MasterKey[];
  /** Beside the one that writes. @default false */
  readonly?: boolean;
  /** @default the system's */
  clock?: Clock;
  /** Most keys held unwrapped. @default 50000 */
  cachedKeys?: number;
  /** Keeps the file, for one that writes; closed with the vault. @default this thread keeps it */
  thread?: VaultThread | undefined;
}

const TRUNCATE = 'PRAGMA wal_checkpoint(TRUNCATE)';

/** The file as the vault uses it, whichever thread has it open. */
interface KeysFile {
  db: Kysely<KeyVaultSchema>;
  exec: (sql: string) => Promise<void>;
}

/**
 * The vault in a file of its own. Commits are synced; what is deleted is overwritten, and the write-ahead log is
 * emptied with it.
 * @throws HubError `SQLITE.FILE_MISSING`, `KEY_VAULT.MASTER_KEY_MISMATCH`, `KEY_VAULT.ROTATION_UNFINISHED`
 */
export const openSqliteKeyVault = async ({
  file,
  masters,
  readonly = false,
  clock = new SystemClock(),
  cachedKeys,
  thread,
}: SqliteKeyVaultOptions): Promise<KyselyKeyVault> => {
  const { db, exec } = await (thread ? openThere(file, thread) : openHere(file, readonly));
  try {
    if (!readonly) await exec(TABLES);
    const scrub = (): Promise<void> => exec(TRUNCATE);
    return await KyselyKeyVault.open(db, {
      masters,
      clock,
      readonly,
      ...(cachedKeys !== undefined && { cachedKeys }),
      ...(!readonly && { scrub, close: scrub }),
    });
  } catch (error) {
    await db.destroy();
    throw error;
  }
};

/**
 * The tables of a vault at rest, keys wrapped, to be copied; `destroy` closes the file.
 * @throws HubError `SQLITE.FILE_MISSING`
 */
export const openSqliteVaultTables = async (file: string): Promise<Kysely<KeyVaultSchema>> =>
  (await openHere(file, true)).db;

const openHere = async (file: string, readonly: boolean): Promise<KeysFile> => {
  const sqlite = openKeysFile(file, readonly);
  const { Kysely, SqliteDialect } = kysely();
  return {
    // Both drivers take what Kysely's dialect hands them; only their declared types differ in detail.
    db: new Kysely({ dialect: new SqliteDialect({ database: sqlite.driver as KyselySqliteDatabase }) }),
    exec: async (sql) => sqlite.exec(sql),
  };
};

const openThere = async (file: string, thread: VaultThread): Promise<KeysFile> => {
  await thread.open(file);
  const { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } = kysely();
  return {
    db: new Kysely({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new VaultThreadDriver(thread),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    }),
    exec: (sql) => thread.exec(sql),
  };
};

/** Whether a vault was begun here: then its master key must not be made anew. */
export const isKeyVaultFile = (file: string): boolean => {
  if (!existsSync(file)) return false;
  const sqlite = openSqlite(file, { readonly: true });
  try {
    const tables = sqlite.prepare("SELECT 1 FROM sqlite_master WHERE name = 'master_key'").all([]);
    return tables.length > 0 && sqlite.prepare('SELECT 1 FROM master_key LIMIT 1').all([]).length > 0;
  } finally {
    sqlite.close();
  }
};
