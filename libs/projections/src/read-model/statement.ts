import type { Compilable } from 'kysely';

/** A query compiled once, to be run with different values: SQL text of its dialect, and which value goes where. */
export interface Statement<Values extends object, Row = never> {
  readonly sql: string;
  readonly slots: readonly (keyof Values & string)[];
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
