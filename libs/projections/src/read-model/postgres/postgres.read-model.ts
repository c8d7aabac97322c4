import type { Kysely } from 'kysely';
import {
  connectPostgres,
  openPostgres,
  schemaFor,
  type PostgresOptions,
  type PostgresPool,
  type PostgresSession,
} from '#libs/kernel/postgres.js';
import { migratePostgres, type PostgresMigration, type SchemaReport } from '#libs/kernel/postgres-migrations.js';
import { READ_MODEL_VERSION, ReadModel, type ReadModelSession } from '../read-model.port.js';
import type { ReadModelSchema } from '../read-model.schema.js';
import {
  ANALYZE,
  FILL_TIMELINE,
  FORGET_ERASED,
  INDEXES,
  NO_SAMPLES,
  PROGRAMS,
  TABLES,
  WHOLE_TABLES,
} from './postgres.ddl.js';
import { Writes, requireCommit } from './postgres.writes.js';

export interface PostgresReadModelOptions {
  /** `postgres://…`; `?schema=` names what its schemas begin with. @default `hilo` */
  url: string;
  /** Its tables must be there, and every write is refused. @default false */
  readonly?: boolean;
  /** @default what `readModelSchema` makes of the address */
  schema?: string;
  /**
   * How a rebuild writes: secondary indexes and the timeline wait for `finishBulk`, and many transactions are committed
   * together, so that a failure undoes those before it as well. @default false
   */
  bulk?: boolean;
  /** Connections that queries share. @default 10 */
  connections?: number;
}

/** Transactions of a bulk write that are committed together. */
const COMMITTED_TOGETHER = 50;

/** For so long a transaction may wait for the program, which asks the log inside of it at most. */
const SILENT_MS = 5000;

const ROOM = 'READ_MODEL';

/**
 * The schema of the rows. Each shape has its own, so that a release folds its rows beside those that the programs of
 * the last one still read.
 */
export const readModelSchema = (url: string): string => schemaFor(url, `read_model_${READ_MODEL_VERSION}`);

/** @throws HubError `READ_MODEL.UNAVAILABLE`, retryable */
export const ensureReadModelSchema = async (url: string): Promise<SchemaReport> => {
  const schema = readModelSchema(url);
  return { schema, taken: await migratePostgres({ url, schema, room: ROOM }, [...STEPS, INDEXES_STEP]) };
};

/** The read model in a schema of a PostgreSQL database. Commits are not waited for to be synced: what a crash takes is folded again. */
export class PostgresReadModel extends ReadModel {
  private queries?: Kysely<ReadModelSchema>;
  private writer: PostgresSession | undefined;
  private uncommitted = 0;
  /** What was sent of a bulk write and not heard of. */
  private unanswered: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: PostgresOptions,
    private readonly pool: PostgresPool,
    private readonly committedTogether: number,
  ) {
    super();
  }

  /** @throws HubError `READ_MODEL.UNAVAILABLE`, retryable */
  static async open({
    url,
    schema = readModelSchema(url),
    readonly = false,
    bulk = false,
    connections,
  }: PostgresReadModelOptions): Promise<PostgresReadModel> {
    const options = { url, schema, room: ROOM, ...(connections !== undefined && { connections }) };
    if (!readonly) await migratePostgres(options, [...STEPS, ...(bulk ? [] : [INDEXES_STEP])]);
    const pool = openPostgres({ ...options, readonly: true });
    return new PostgresReadModel(options, pool, bulk ? COMMITTED_TOGETHER : 1);
  }

  get db(): Kysely<ReadModelSchema> {
    return (this.queries ??= this.pool.kysely());
  }

  snapshot<T>(read: (db: Kysely<ReadModelSchema>) => Promise<T>): Promise<T> {
    return this.db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read);
  }

  async transaction<T>(work: (session: ReadModelSession) => Promise<T>): Promise<T> {
    const writer = (this.writer ??= await this.connectWriter());
    const writes = new Writes(writer);
    try {
      if (this.uncommitted === 0) writes.send('BEGIN');
      const result = await work(writes);
      if (this.committedTogether === 1) await writes.commit();
      else await this.keepUncommitted(writes);
      return result;
    } catch (error) {
      const first = await this.unanswered.then(
        () => writes.failure(error),
        (earlier: unknown) => earlier,
      );
      this.unanswered = Promise.resolve();
      this.uncommitted = 0;
      await writer.query('ROLLBACK').catch(() => this.dropWriter(writer));
      throw first;
    }
  }

  /** The next transaction of a bulk write is put together while the server works on this one. */
  private async keepUncommitted(writes: Writes): Promise<void> {
    this.uncommitted += 1;
    const answered = writes.answered();
    // Heard of by the next one, and by the commit.
    answered.catch(() => undefined);
    await this.unanswered;
    this.unanswered = answered;
    if (this.uncommitted >= this.committedTogether) await this.commit();
  }

  /** Fills the timeline in its own order and builds the secondary indexes: the end of a bulk write. */
  async finishBulk(): Promise<void> {
    await this.commit();
    const writer = (this.writer ??= await this.connectWriter());
    const erased = await writer.query('SELECT 1 FROM identity WHERE erased IS NOT NULL LIMIT 1');
    await writer.query(
      `BEGIN; ${WHOLE_TABLES} ${erased.rows.length > 0 ? FORGET_ERASED : ''} DROP INDEX IF EXISTS entry_identity; COMMIT`,
    );
    await Promise.all([writer.query(FILL_TIMELINE), this.finishTables()]);
    await writer.query('ANALYZE timeline');
  }

  /** What can be done of a bulk write's end while the timeline is filled. */
  private async finishTables(): Promise<void> {
    await migratePostgres(this.options, [INDEXES_STEP]);
    const session = await connectPostgres({ ...this.options, statementTimeoutMs: 0 });
    await session.query(ANALYZE).finally(() => session.release());
  }

  async close(): Promise<void> {
    try {
      await this.commit();
    } finally {
      this.writer?.release();
      this.writer = undefined;
      await (this.queries ? this.queries.destroy() : this.pool.end());
    }
  }

  private async commit(): Promise<void> {
    if (this.uncommitted === 0) return;
    this.uncommitted = 0;
    await this.unanswered;
    if (this.writer) requireCommit(await this.writer.query('COMMIT'));
  }

  private async connectWriter(): Promise<PostgresSession> {
    // A projector that is cut off holds its checkpoint, and keeps whoever leads instead waiting.
    const silentWithinMs = this.committedTogether === 1 ? SILENT_MS : 0;
    const options = { ...this.options, statementTimeoutMs: 0, unsynced: true, byKeys: true, silentWithinMs };
    const writer = await connectPostgres(options, true);
    writer.onEnd(() => this.dropWriter(writer));
    return writer;
  }

  private dropWriter(writer: PostgresSession): void {
    if (this.writer === writer) {
      this.writer = undefined;
      this.uncommitted = 0;
    }
    writer.release();
  }
}

const STEPS: PostgresMigration[] = [
  { name: 'tables', sql: TABLES + NO_SAMPLES },
  { name: 'programs', sql: PROGRAMS },
];
const INDEXES_STEP: PostgresMigration = { name: 'indexes', sql: INDEXES };
