import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { HubError, codeOf, messageOf } from './errors.js';
import { LruMap } from './lru.js';

export type SqliteValue = string | number | bigint | Buffer | Uint8Array | null;

/** A prepared statement; parameters are positional and always an array (a lone Buffer would be read as named parameters). */
export interface SqliteStatement {
  run(parameters: readonly SqliteValue[]): { changes: number };
  all<Row>(parameters: readonly SqliteValue[]): Row[];
  first<Row>(parameters: readonly SqliteValue[]): Row | undefined;
}

export interface SqliteOptions {
  /** The file must exist, and every write is refused. @default false */
  readonly?: boolean;
  /** `rollback` for a file that serves as a lock; everything else is `wal`. @default 'wal' */
  journal?: 'wal' | 'rollback';
  /** Milliseconds to wait for another connection's lock. @default 5000 */
  busyTimeoutMs?: number;
  /** `full` syncs every commit (the truth); `off` leaves it to the system (what can be folded again). @default 'full' */
  synchronous?: 'full' | 'normal' | 'off';
  /** Page cache in KiB. @default 16384 */
  cacheKiB?: number;
  /** Bytes of a page of a new file. Long rows waste less of a large one, scattered short ones write less of a small one. @default 8192 */
  pageBytes?: 4096 | 8192 | 16384;
}

/** One SQLite connection of the configured driver; synchronous, so used only behind the ports that promise otherwise. */
export interface SqliteDatabase {
  /** Prepares once per text: the driver holds every statement it prepared until the event loop turns. */
  prepare(sql: string): SqliteStatement;
  exec(sql: string): void;
  /** Runs `work` in one immediate transaction; rolls back when it throws. */
  transaction<T>(work: () => T): T;
  /** The driver's own handle, for Kysely; it prepares a text that was asked for lately once. */
  readonly driver: SqliteDriver;
  close(): void;
}

/** What libsql and better-sqlite3 have in common. */
export interface SqliteDriver {
  prepare(sql: string): DriverStatement;
  exec(sql: string): unknown;
  close(): unknown;
}

interface DriverStatement {
  readonly reader: boolean;
  run(parameters: readonly unknown[]): { changes: number; lastInsertRowid: number | bigint };
  all(parameters: readonly unknown[]): unknown[];
  iterate(parameters: readonly unknown[]): IterableIterator<unknown>;
}

type DriverConstructor = new (file: string, options?: { readonly?: boolean; timeout?: number }) => SqliteDriver;

/** Texts whose statement is kept for Kysely, which prepares for every query: preparing costs about 50 µs. */
const KEPT_STATEMENTS = 200;

const DRIVERS = ['libsql', 'better-sqlite3'] as const;

/** libsql comes prebuilt for every supported Node; `HILO_SQLITE_DRIVER=better-sqlite3` takes the faster one where an operator installed it. */
const loadDriver = (): DriverConstructor => {
  const name = process.env.HILO_SQLITE_DRIVER ?? 'libsql';
  if (!(DRIVERS as readonly string[]).includes(name))
    throw new HubError(
      'SETTINGS.INVALID',
      `HILO_SQLITE_DRIVER: "${name}" is not a driver; use one of ${DRIVERS.join(', ')}`,
    );
  try {
    return createRequire(import.meta.url)(name) as DriverConstructor;
  } catch (cause) {
    throw new HubError(
      'SETTINGS.INVALID',
      `HILO_SQLITE_DRIVER: ${name} cannot be loaded (${messageOf(cause)}); npm install ${name}`,
      { cause },
    );
  }
};

/** The write-ahead log is moved into the file whenever it has grown to this. */
const WAL_BYTES = 32 * 1024 * 1024;

/** Opens a file (or `:memory:`) in WAL mode with the pragmas measured best here: 8 KiB pages, a checkpoint every 32 MiB. */
export const openSqlite = (file: string, options: SqliteOptions = {}): SqliteDatabase => {
  const Driver = loadDriver();
  const readonly = options.readonly ?? false;
  // libsql knows no read-only mode: it would create the file, and write to it.
  if (readonly && !existsSync(file)) throw new HubError('SQLITE.FILE_MISSING', `${file} does not exist`);
  const driver = new Driver(file, { readonly, timeout: options.busyTimeoutMs ?? 5000 });
  if (readonly) driver.exec('PRAGMA query_only = ON;');
  else if (options.journal !== 'rollback')
    driver.exec(`PRAGMA page_size = ${options.pageBytes ?? 8192}; PRAGMA journal_mode = WAL;`);
  // What is deleted or replaced is overwritten, in free pages too: a purge leaves nothing behind in the file.
  if (!readonly) driver.exec('PRAGMA secure_delete = ON;');
  driver.exec(`PRAGMA synchronous = ${(options.synchronous ?? 'full').toUpperCase()};
    PRAGMA wal_autocheckpoint = ${Math.round(WAL_BYTES / (options.pageBytes ?? 8192))}; PRAGMA cache_size = -${options.cacheKiB ?? 16_384}; PRAGMA foreign_keys = OFF;`);
  const statements = new Map<string, SqliteStatement>();
  const prepare = (sql: string): SqliteStatement => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = driver.prepare(sql);
    const prepared: SqliteStatement = {
      run: (parameters) => statement.run(parameters),
      all: <Row>(parameters: readonly SqliteValue[]) => statement.all(parameters) as Row[],
      first: <Row>(parameters: readonly SqliteValue[]) => statement.all(parameters)[0] as Row | undefined,
    };
    statements.set(sql, prepared);
    return prepared;
  };
  const kept = new LruMap<string, DriverStatement>(KEPT_STATEMENTS);
  return {
    driver: {
      prepare: (sql) => {
        const known = kept.get(sql);
        if (known) return known;
        const statement = driver.prepare(sql);
        kept.set(sql, statement);
        return statement;
      },
      exec: (sql) => driver.exec(sql),
      close: () => {
        kept.clear();
        return driver.close();
      },
    },
    prepare,
    exec: (sql) => void driver.exec(sql),
    transaction: (work) => {
      prepare('BEGIN IMMEDIATE').run([]);
      try {
        const result = work();
        prepare('COMMIT').run([]);
        return result;
      } catch (error) {
        // A full disk may have ended the transaction already; the first error is the one to report.
        try {
          prepare('ROLLBACK').run([]);
        } catch {
          /* already rolled back */
        }
        throw error;
      }
    },
    close: () => {
      statements.clear();
      // Statements that are not yet collected keep the file open, and its log would stay beside it unmerged.
      try {
        if (!readonly && options.journal !== 'rollback') driver.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch {
        /* no space to merge: the log stays and is merged by the next opening */
      }
      driver.close();
    },
  };
};

/** How long one try may wait for others, who may be of the same thread. */
const TRUNCATE_TIMEOUT_MS = 50;

/**
 * Moves the write-ahead log of a file into it and empties it, so that rows which were deleted are in neither.
 * @returns whether it is empty; a reader or writer may have kept it from that for the moment
 */
export const truncateLog = (file: string): boolean => {
  const sqlite = openSqlite(file, { busyTimeoutMs: TRUNCATE_TIMEOUT_MS });
  try {
    return sqlite.prepare('PRAGMA wal_checkpoint(TRUNCATE)').first<{ busy: number }>([])?.busy === 0;
  } catch (error) {
    if (isStorageFailure(error)) return false;
    throw error;
  } finally {
    sqlite.close();
  }
};

/** Whether SQLite says that space or the device is the problem, which passes, and not the data. */
export const isStorageFailure = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR|BUSY|LOCKED|READONLY|CANTOPEN|NOMEM)/.test(codeOf(error) ?? '');
