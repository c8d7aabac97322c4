import { Kysely, SqliteDialect, type SqliteDatabase as KyselySqliteDatabase } from 'kysely';
import { openSqlite, type SqliteDatabase, type SqliteValue } from '#libs/kernel/sqlite.js';
import { ReadModel, type ReadModelSession } from '../read-model.port.js';
import type { ReadModelSchema } from '../read-model.schema.js';
import type { BulkInsert, Statement } from '../statement.js';
import { INDEXES, TABLES } from './sqlite.ddl.js';

export interface SqliteReadModelOptions {
  file: string;
  readonly?: boolean;
  /** Leaves secondary indexes and the timeline out until `finishBulk`: how a rebuild writes. @default false */
  bulk?: boolean;
  /** Page cache in KiB. @default 8192 */
  cacheKiB?: number;
}

/** The read model in one SQLite file. Commits are synced with the next checkpoint of the file: what a power cut takes is folded again. */
export class SqliteReadModel extends ReadModel {
  readonly db: Kysely<ReadModelSchema>;

  private constructor(
    private readonly sqlite: SqliteDatabase,
    private readonly readonly: boolean,
  ) {
    super();
    // Both drivers take what Kysely's dialect hands them; only their declared types differ in detail.
    this.db = new Kysely({
      dialect: new SqliteDialect({ database: sqlite.driver as unknown as KyselySqliteDatabase }),
    });
  }

  static open({ file, readonly = false, bulk = false, cacheKiB = 8192 }: SqliteReadModelOptions): SqliteReadModel {
    const sqlite = openSqlite(file, { readonly, synchronous: bulk ? 'off' : 'normal', cacheKiB, pageBytes: 4096 });
    if (!readonly) sqlite.exec(bulk ? TABLES : TABLES + INDEXES);
    return new SqliteReadModel(sqlite, readonly);
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
    };
    sqlite.prepare('BEGIN IMMEDIATE').run([]);
    try {
      const result = await work(session);
      sqlite.prepare('COMMIT').run([]);
      return result;
    } catch (error) {
      try {
        sqlite.prepare('ROLLBACK').run([]);
      } catch {
        // A full disk has ended the transaction already; the first error is the one to report.
      }
      throw error;
    }
  }

  /** Fills the timeline in its own order and builds the secondary indexes: the end of a bulk write. */
  finishBulk(): void {
    this.sqlite.exec(`BEGIN IMMEDIATE; DELETE FROM timeline;
      INSERT INTO timeline SELECT i.customer, e.occurredAt, e.position, e.identity, e.channel, e.kind, e.direction
      FROM entry e JOIN identity i ON i.key = e.identity ORDER BY i.customer, e.occurredAt, e.position;
      ${INDEXES} COMMIT;`);
  }

  /** Moves everything into the main file, so that the file alone holds the rows. */
  checkpointFile(): void {
    this.sqlite.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all([]);
  }

  async close(): Promise<void> {
    // Statements that live on would keep the log file beside the database after a clean stop.
    if (!this.readonly) this.checkpointFile();
    await this.db.destroy();
  }
}

const ordered = <Values extends object>(statement: Statement<Values, unknown>, values: Values): SqliteValue[] =>
  statement.slots.map((name) => values[name] as SqliteValue);

const insertAll = <Row extends object>(sqlite: SqliteDatabase, insert: BulkInsert<Row>, rows: readonly Row[]): void => {
  const valuesOf = (row: Row) => insert.columns.map((column) => row[column] as SqliteValue);
  let next = 0;
  for (; next + insert.rows <= rows.length; next += insert.rows)
    sqlite.prepare(insert.many).run(rows.slice(next, next + insert.rows).flatMap(valuesOf));
  for (; next < rows.length; next++) sqlite.prepare(insert.one).run(valuesOf(rows[next]!));
};
