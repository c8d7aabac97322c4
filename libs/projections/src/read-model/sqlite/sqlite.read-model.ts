import { chmodSync } from 'node:fs';
import type { Kysely, SqliteDatabase as KyselySqliteDatabase } from 'kysely';
import { openSqlite, type SqliteDatabase, type SqliteValue } from '#libs/kernel/sqlite.js';
import { kysely } from '../kysely.js';
import { ReadModel, type ReadModelSession } from '../read-model.port.js';
import type { ReadModelSchema } from '../read-model.schema.js';
import type { BulkInsert, Statement } from '../statement.js';
import { FORGET_ERASED, INDEXES, TABLES } from './sqlite.ddl.js';

export interface SqliteReadModelOptions {
  file: string;
  readonly?: boolean;
  /**
   * How a rebuild writes: secondary indexes and the timeline wait for `finishBulk`, and many transactions are committed
   * together, so that a failure undoes those before it as well. @default false
   */
  bulk?: boolean;
  /** Page cache in KiB. @default 8192 */
  cacheKiB?: number;
}

/** Transactions of a bulk write that are committed together. */
const COMMITTED_TOGETHER = 50;

/** How long a writer waits while the file is written anew after an erasure: some seconds a gigabyte. */
const REWRITE_MS = 600_000;

/** The read model in one SQLite file. Commits are synced with the next checkpoint of the file: what a power cut takes is folded again. */
export class SqliteReadModel extends ReadModel {
  private queries?: Kysely<ReadModelSchema>;
  private uncommitted = 0;

  private constructor(
    private readonly sqlite: SqliteDatabase,
    private readonly readonly: boolean,
    private readonly committedTogether: number,
  ) {
    super();
  }

  get db(): Kysely<ReadModelSchema> {
    const { Kysely, SqliteDialect } = kysely();
    // Both drivers take what Kysely's dialect hands them; only their declared types differ in detail.
    return (this.queries ??= new Kysely({
      dialect: new SqliteDialect({ database: this.sqlite.driver as unknown as KyselySqliteDatabase }),
    }));
  }

  static open({ file, readonly = false, bulk = false, cacheKiB = 8192 }: SqliteReadModelOptions): SqliteReadModel {
    const sqlite = openSqlite(file, {
      readonly,
      synchronous: bulk ? 'off' : 'normal',
      cacheKiB,
      pageBytes: 4096,
      ...(!readonly && { busyTimeoutMs: REWRITE_MS }),
    });
    if (!readonly && file !== ':memory:') chmodSync(file, 0o600);
    if (!readonly) sqlite.exec(bulk ? TABLES : TABLES + INDEXES);
    return new SqliteReadModel(sqlite, readonly, bulk ? COMMITTED_TOGETHER : 1);
  }

  snapshot<T>(read: (db: Kysely<ReadModelSchema>) => Promise<T>): Promise<T> {
    return this.db.transaction().execute(read);
  }

  async transaction<T>(work: (session: ReadModelSession) => Promise<T>): Promise<T> {
    const { sqlite } = this;
    const session: ReadModelSession = {
      run: (statement, values) => void sqlite.prepare(statement.sql).run(ordered(statement, values)),
      insert: (insert, rows) => insertAll(sqlite, insert, rows),
      all: <Values extends object, Row>(statement: Statement<Values, Row>, values: Values) =>
        sqlite.prepare(statement.sql).all<Row>(ordered(statement, values)),
      must: (statement, values, otherwise) => {
        if (!sqlite.prepare(statement.sql).first(ordered(statement, values))) throw otherwise();
      },
    };
    if (this.uncommitted === 0) sqlite.prepare('BEGIN IMMEDIATE').run([]);
    try {
      const result = await work(session);
      this.uncommitted += 1;
      if (this.uncommitted >= this.committedTogether) this.commit();
      return result;
    } catch (error) {
      this.uncommitted = 0;
      try {
        sqlite.prepare('ROLLBACK').run([]);
      } catch {
        // A full disk has ended the transaction already; the first error is the one to report.
      }
      throw error;
    }
  }

  private commit(): void {
    if (this.uncommitted === 0) return;
    this.sqlite.prepare('COMMIT').run([]);
    this.uncommitted = 0;
  }

  /** Fills the timeline in its own order and builds the secondary indexes: the end of a bulk write. */
  finishBulk(): void {
    this.commit();
    const isErased = this.sqlite.prepare('SELECT 1 FROM identity WHERE erased IS NOT NULL LIMIT 1').first([]);
    this.sqlite.exec(`BEGIN IMMEDIATE; ${isErased ? FORGET_ERASED : ''} DELETE FROM timeline;
      INSERT INTO timeline SELECT i.customer, e.occurredAt, e.position, e.identity, e.channel, e.kind, e.direction
      FROM entry e JOIN identity i ON i.key = e.identity ORDER BY i.customer, e.occurredAt, e.position;
      DROP INDEX IF EXISTS entry_identity; ${INDEXES} COMMIT;`);
  }

  /** Moves everything into the main file, so that the file alone holds the rows. */
  checkpointFile(): void {
    this.sqlite.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all([]);
  }

  async close(): Promise<void> {
    // Statements that live on would keep the log file beside the database after a clean stop.
    if (!this.readonly) {
      this.commit();
      this.checkpointFile();
    }
    if (this.queries) await this.queries.destroy();
    else this.sqlite.driver.close();
  }
}

const ordered = <Values extends object>(statement: Statement<Values, unknown>, values: Values): SqliteValue[] =>
  statement.slots.map((name) => values[name] as SqliteValue);

const insertAll = <Row extends object>(
  sqlite: SqliteDatabase,
  { columns, sizes }: BulkInsert<Row>,
  rows: readonly Row[],
): void => {
  let next = 0;
  for (const size of sizes)
    while (next + size.rows <= rows.length) {
      const values: SqliteValue[] = [];
      for (const end = next + size.rows; next < end; next++)
        for (const column of columns) values.push(rows[next]![column] as SqliteValue);
      sqlite.prepare(size.sql).run(values);
    }
};
