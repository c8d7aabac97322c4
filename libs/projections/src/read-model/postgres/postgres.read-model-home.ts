import { HubError } from '#libs/kernel';
import { connectPostgres, schemaFor, type PostgresOptions, type PostgresSession } from '#libs/kernel/postgres.js';
import { lockSchema } from '#libs/kernel/postgres-migrations.js';
import { scrubTables } from '#libs/kernel/postgres-scrub.js';
import { ReadModelHome, type DeletedRows } from '../read-model-home.port.js';
import { PROJECTOR, READ_MODEL_VERSION } from '../read-model.port.js';
import { PERSONAL_TABLES } from './postgres.ddl.js';
import { PostgresReadModel, readModelSchema } from './postgres.read-model.js';

/** A schema of a database, for as many programs as like to read it; one projector writes. */
export class PostgresReadModelHome extends ReadModelHome {
  override readonly deletedRows: DeletedRows;
  private readonly schema: string;

  constructor(private readonly url: string) {
    super();
    this.schema = readModelSchema(url);
    this.deletedRows = { name: `postgres:${this.schema}`, scrub: () => this.scrub() };
  }

  open(options: { readonly?: boolean } = {}): Promise<PostgresReadModel> {
    return PostgresReadModel.open({ url: this.url, ...options });
  }

  exists(): Promise<boolean> {
    return this.asked(async (session) => (await positionIn(session, this.schema)) !== undefined);
  }

  discardUnusable(head: number): Promise<string | undefined> {
    return this.asked(async (session) => {
      const position = await positionIn(session, this.schema);
      if (position === undefined || position <= head) return undefined;
      // Reads that are under way come to their end first.
      await session.query(`DROP SCHEMA ${this.schema} CASCADE`);
      return `it shows position ${position}, the log ends at ${head}`;
    });
  }

  /** @throws HubError `READ_MODEL.DIVIDED` where tenants are, or were, divided in shards */
  async openNext({ caughtUp = false } = {}): Promise<PostgresReadModel> {
    if (!caughtUp) await this.asked((session) => refuseDivided(session, this.schema));
    return PostgresReadModel.open({ url: this.url, schema: `${this.schema}_next`, bulk: !caughtUp });
  }

  /** Programs that read go on with the new rows from their next statement on. */
  async replace(catchUp: () => Promise<void>): Promise<void> {
    const [schema, next, old] = [this.schema, `${this.schema}_next`, `${this.schema}_old`];
    // What was recorded while the bulk write ended: the less is left for when everybody waits.
    if (await this.exists()) await catchUp();
    await this.asked(async (session) => {
      await session.query(`DROP SCHEMA IF EXISTS ${old} CASCADE`);
      await session.query('BEGIN');
      await lockSchema(session, schema);
      if ((await positionIn(session, schema)) !== undefined) {
        // A projector that is about to move the checkpoint waits, and then finds the new one.
        await session.query(`LOCK TABLE ${schema}.checkpoint IN ACCESS EXCLUSIVE MODE`);
        if ((await positionIn(session, schema))! > (await positionIn(session, next))!) await catchUp();
        await session.query(`ALTER SCHEMA ${schema} RENAME TO ${old}`);
      }
      await session.query(`ALTER SCHEMA ${next} RENAME TO ${schema}`);
      await session.query('COMMIT');
      await session.query(`DROP SCHEMA IF EXISTS ${old} CASCADE`);
    });
  }

  /** A rebuild that is under way begins anew; it, and what earlier shapes have left, holds what was told before. */
  private async scrub(): Promise<boolean> {
    await this.asked(async (session) => {
      await session.query('BEGIN');
      await lockSchema(session, this.schema);
      const { rows } = await session.query<{ name: string }>(
        'SELECT nspname AS name FROM pg_namespace WHERE nspname ~ $1',
        [`^${schemaFor(this.url, 'read_model')}_[0-9]+(_next|_old)?$`],
      );
      for (const { name } of rows)
        if (name.startsWith(`${this.schema}_`) || shapeOf(name) < READ_MODEL_VERSION)
          await session.query(`DROP SCHEMA ${name} CASCADE`);
      await session.query('COMMIT');
    });
    return scrubTables(this.options, PERSONAL_TABLES);
  }

  private get options(): PostgresOptions {
    return { url: this.url, schema: this.schema, room: 'READ_MODEL', statementTimeoutMs: 0 };
  }

  private async asked<T>(work: (session: PostgresSession) => Promise<T>): Promise<T> {
    const session = await connectPostgres(this.options);
    try {
      return await work(session);
    } finally {
      session.release();
    }
  }
}

const shapeOf = (schema: string): number => Number(/_(\d+)(_next|_old)?$/.exec(schema)![1]);

/** Where the foremost shard of a read model has got to; undefined where there is none. */
const positionIn = async (session: PostgresSession, schema: string): Promise<number | undefined> => {
  const table = `${schema}.checkpoint`;
  const { rows } = await session.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
  if (!rows[0]!.found) return undefined;
  const places = await session.query<{ position: number }>(
    `SELECT coalesce(max(position), 0) AS position FROM ${table}`,
  );
  return Number(places.rows[0]!.position);
};

/**
 * Shards number rows as they come to them, so another fold gives other keys, and programs that know the old ones would mix
 * customers up. Where one projector has folded everything, keys are those of the log.
 */
const refuseDivided = async (session: PostgresSession, schema: string): Promise<void> => {
  if ((await positionIn(session, schema)) === undefined) return;
  const { rows } = await session.query(`SELECT 1 FROM ${schema}.checkpoint WHERE name <> $1`, [PROJECTOR]);
  if (rows.length > 0)
    throw new HubError(
      'READ_MODEL.DIVIDED',
      `the tenants are divided in shards, which cannot be folded anew beside programs that read: stop projectors and ` +
        `timeline APIs, DROP SCHEMA ${schema} CASCADE, hilo schema ensure, and start them again`,
    );
};
