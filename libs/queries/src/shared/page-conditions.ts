import type { Expression, SqlBool } from 'kysely';
import type { ReadModelSchema } from '#libs/projections';
import { kysely } from '#libs/projections/read-model/kysely.js';
import { startOf, type PageBounds } from './cursor.js';

/** What rows of a page are asked for; names as the keys and codes they are stored by. */
export interface PageQuestion extends PageBounds {
  channels?: readonly number[];
  kinds?: readonly number[];
  directions?: readonly number[];
  /** Epoch milliseconds of `occurredAt`, inclusive. */
  from?: number;
  /** Epoch milliseconds of `occurredAt`, exclusive. */
  to?: number;
}

/** A table that pages are read from. */
type PageTable = 'timeline' | 'entry' | 'entry_past';

/** That a row of a table is on the page's side of its cursor and passes its filters. */
export const conditionsOf = (table: PageTable, question: PageQuestion): Expression<SqlBool> => {
  const e = kysely().expressionBuilder<ReadModelSchema, PageTable>();
  const conditions: Expression<SqlBool>[] = [];
  const { place, newer } = startOf(question);
  if (place)
    conditions.push(
      e(
        e.refTuple(`${table}.occurredAt`, `${table}.position`),
        newer ? '>' : '<',
        e.tuple(place.occurredAt, place.position),
      ),
    );
  const { from, to, channels, kinds, directions } = question;
  if (from !== undefined) conditions.push(e(`${table}.occurredAt`, '>=', from));
  if (to !== undefined) conditions.push(e(`${table}.occurredAt`, '<', to));
  // No channel of that name occurs.
  if (channels?.length === 0) conditions.push(e.lit(false));
  else if (channels) conditions.push(e(`${table}.channel`, 'in', channels));
  if (kinds) conditions.push(e(`${table}.kind`, 'in', kinds));
  if (directions) conditions.push(e(`${table}.direction`, 'in', directions));
  return e.and(conditions);
};
