import type { Expression, Kysely, RawBuilder, Sql } from 'kysely';
import { kysely } from './kysely.js';
import type { ReadModelSchema } from './read-model.schema.js';

/** A column, `table.column`; `bytes` are written in hex, lower case. */
export type ListedColumn = string | { bytes: string };

interface Dialect {
  list(sql: Sql, values: Expression<unknown>): RawBuilder<string>;
  hex(sql: Sql, bytes: Expression<unknown>): RawBuilder<string>;
}

const SQLITE: Dialect = {
  list: (sql, values) => sql`json_array(${values})`,
  hex: (sql, bytes) => sql`lower(hex(${bytes}))`,
};

const POSTGRES: Dialect = {
  list: (sql, values) => sql`json_build_array(${values})::text`,
  hex: (sql, bytes) => sql`encode(${bytes}, 'hex')`,
};

const dialectOf = (db: Kysely<ReadModelSchema>): Dialect =>
  db.getExecutor().adapter instanceof kysely().PostgresAdapter ? POSTGRES : SQLITE;

/** Columns as the text of one JSON list, written by the engine. */
export const jsonList = (db: Kysely<ReadModelSchema>, columns: readonly ListedColumn[]): RawBuilder<string> => {
  const { sql } = kysely();
  const dialect = dialectOf(db);
  return dialect.list(
    sql,
    sql.join(
      columns.map((column) => (typeof column === 'string' ? sql.ref(column) : dialect.hex(sql, sql.ref(column.bytes)))),
    ),
  );
};
