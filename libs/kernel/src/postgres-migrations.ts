import { connectPostgres, type PostgresOptions, type PostgresSession } from './postgres.js';

/** A step that was once released stays as it is, for ever; the next change is the next step. */
export interface PostgresMigration {
  name: string;
  /** Statements, run in one transaction with all other steps that are due. */
  sql: string;
}

/**
 * Makes the schema and takes the steps it lacks, in their order: all or none. Programs that start at once take turns by
 * an advisory lock. A role that may not make schemas is given an empty one of that name.
 * @returns the names of the steps that were taken
 */
export const migratePostgres = async (
  options: PostgresOptions,
  migrations: readonly PostgresMigration[],
): Promise<string[]> => {
  const session = await connectPostgres({ ...options, statementTimeoutMs: 0 });
  try {
    await session.query('BEGIN');
    await lockSchema(session, options.schema);
    const taken = await migrate(session, options.schema, migrations);
    await session.query('COMMIT');
    return taken;
  } finally {
    session.release();
  }
};

/** What a room keeps in a schema of PostgreSQL. */
export interface SchemaReport {
  schema: string;
  /** Names of the steps that it lacked and has now. */
  taken: string[];
}

/** Waits until nobody else changes the shape of a schema; held to the end of the transaction. */
export const lockSchema = async (session: PostgresSession, schema: string): Promise<void> => {
  await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`hilo schema ${schema}`]);
};

const migrate = async (
  session: PostgresSession,
  schema: string,
  migrations: readonly PostgresMigration[],
): Promise<string[]> => {
  const { rows } = await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (rows.length === 0) await session.query(`CREATE SCHEMA ${schema}`);
  const table = await session.query<{ found: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS found`, [
    `${schema}.migration`,
  ]);
  if (!table.rows[0]!.found)
    await session.query(
      `CREATE TABLE migration (name text COLLATE "C" PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
    );
  const taken = await session.query<{ name: string }>('SELECT name FROM migration');
  const names = new Set(taken.rows.map(({ name }) => name));
  const due = migrations.filter(({ name }) => !names.has(name));
  for (const { name, sql } of due) {
    await session.query(sql);
    await session.query('INSERT INTO migration (name) VALUES ($1)', [name]);
  }
  return due.map(({ name }) => name);
};
