import type { Compilable, Insertable, Kysely } from 'kysely';
import type { ReadModelSchema } from './read-model.schema.js';

/** A query compiled once, to be run with different values: SQL text of its dialect, and which value goes where. */
export interface Statement<Values extends object, Row = never> {
  readonly sql: string;
  readonly slots: readonly (keyof Values & string)[];
  /** The same for many rows, of `gathered`. */
  readonly many?: BulkInsert<Values>;
  /** It changes one row by its key, and need not come before anything but what reads that row. */
  readonly late?: boolean;
  /** Type carrier; never set. */
  readonly row?: Row;
}

class Slot {
  constructor(readonly name: string) {}
}

/**
 * Compiles a Kysely query whose values are slots named by the properties of `Values`.
 * @example statement<{ id: Buffer }, { key: number }>((slot) => db.selectFrom('identity').select('key').where('id', '=', slot.id))
 */
export const statement = <Values extends object, Row = never>(
  build: (slot: Values) => Compilable<unknown>,
): Statement<Values, Row> => {
  const slots = new Proxy({} as Values, { get: (_target, name) => new Slot(String(name)) });
  const compiled = build(slots).compile();
  return {
    sql: compiled.sql,
    slots: compiled.parameters.map((parameter) => {
      if (!(parameter instanceof Slot)) throw new TypeError(`a constant stands in ${compiled.sql}; use sql.lit`);
      return parameter.name as keyof Values & string;
    }),
  };
};

/** An insert compiled for different numbers of rows: one call for many costs the engine less. */
export interface BulkInsert<Row extends object> {
  readonly table: keyof ReadModelSchema;
  /** Rows that are there already stay as they are. */
  readonly ignoreKnown: boolean;
  readonly columns: readonly (keyof Row & string)[];
  /** Largest first; the last one takes one row. */
  readonly sizes: readonly { readonly rows: number; readonly sql: string }[];
}

const ROWS_A_STATEMENT = [64, 16, 4, 1] as const;

/** Compiles inserts of whole rows into a table; `columns` says in which order values are given. */
export const bulkInsert = <Row extends object>(
  db: Kysely<ReadModelSchema>,
  table: keyof ReadModelSchema,
  columns: readonly (keyof Row & string)[],
  { ignoreKnown = false } = {},
): BulkInsert<Row> => {
  const row = Object.fromEntries(columns.map((column) => [column, new Slot(column)])) as unknown as Insertable<
    ReadModelSchema[typeof table]
  >;
  const sqlOf = (rows: number): string => {
    const insert = db.insertInto(table).values(Array.from({ length: rows }, () => row));
    return (ignoreKnown ? insert.onConflict((c) => c.doNothing()) : insert).compile().sql;
  };
  return { table, ignoreKnown, columns, sizes: ROWS_A_STATEMENT.map((rows) => ({ rows, sql: sqlOf(rows) })) };
};

/**
 * An insert of one row at a time of which an engine may write many together, once something else is asked of it.
 * @see bulkInsert
 */
export const gathered = <Row extends object>(...given: Parameters<typeof bulkInsert<Row>>): Statement<Row> => {
  const many = bulkInsert<Row>(...given);
  return { sql: many.sizes.at(-1)!.sql, slots: many.columns, many };
};
