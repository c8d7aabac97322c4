import { HubError } from '#libs/kernel';

/** A place on a timeline: entries are unique in it and sorted by it. */
export interface TimelinePlace {
  occurredAt: number;
  position: number;
}

/** The past that an answer shows. */
export interface AsOf {
  /** Everything up to this position of the log, and nothing after it. */
  position: number;
  /** The instant that was asked for, epoch milliseconds; absent where the position was. */
  instant?: number;
}

/** What an answer says of the past it shows. */
export const shownAsOf = (asOf: Pick<AsOf, 'position'> | undefined): { asOfPosition?: number } =>
  asOf ? { asOfPosition: asOf.position } : {};

/** The opaque text of a place, for `before` and `after`; it belongs to the present or to one past. */
export const cursorOf = ({ occurredAt, position }: TimelinePlace, asOf?: AsOf): string => {
  const past = asOf ? `@${[asOf.position, ...(asOf.instant === undefined ? [] : [asOf.instant])].join('.')}` : '';
  return Buffer.from(`${occurredAt}.${position}${past}`).toString('base64url');
};

const CURSOR = /^(-?\d{1,16})\.(\d{1,16})(?:@(\d{1,16})(?:\.(-?\d{1,16}))?)?$/;

/** @throws HubError `QUERY.INVALID` naming the parameter, for anything this hub did not hand out. */
export const readCursor = (cursor: string, parameter: string): { place: TimelinePlace; asOf?: AsOf } => {
  const match = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match)
    throw invalidQuery(
      parameter,
      'is not a cursor of this API',
      'pass on `next` or `previous` of an earlier answer unchanged',
    );
  const [, occurredAt, position, past, instant] = match;
  return {
    place: { occurredAt: Number(occurredAt), position: Number(position) },
    ...(past && { asOf: { position: Number(past), ...(instant && { instant: Number(instant) }) } }),
  };
};

/** @throws HubError `QUERY.INVALID` naming the parameter, also for a cursor of another past. */
export const placeOf = (cursor: string, parameter: string, asOf?: AsOf): TimelinePlace => {
  const { place, asOf: own } = readCursor(cursor, parameter);
  if (own?.position !== asOf?.position)
    throw invalidQuery(
      parameter,
      own ? `is a cursor of asOfPosition=${own.position}` : 'is a cursor of the present',
      own ? `give it together with asOfPosition=${own.position}` : 'give it without asOf',
    );
  return place;
};

/** A query parameter that cannot be used: what is wrong with it and what is allowed. */
export const invalidQuery = (parameter: string, problem: string, allowed: string): HubError =>
  new HubError('QUERY.INVALID', `${parameter}: ${problem}; ${allowed}`, { facts: { parameter } });

export interface PageBounds {
  /** Items a page, 1 to 100. */
  limit: number;
  /** Cursor: older items only. */
  before?: string;
  /** Cursor: newer items only. */
  after?: string;
  /** The past to show instead of the present. */
  asOf?: AsOf;
}

/** The place a page begins behind, and which way it goes from there. */
export const startOf = ({ before, after, asOf }: PageBounds): { place?: TimelinePlace; newer: boolean } => {
  if (after !== undefined) return { place: placeOf(after, 'after', asOf), newer: true };
  return before === undefined ? { newer: false } : { place: placeOf(before, 'before', asOf), newer: false };
};

/**
 * One page, newest first, of rows read in the direction of `startOf` with one more than the limit: that one only tells
 * whether to go on.
 */
export const pageOf = <Row extends TimelinePlace>(
  found: readonly Row[],
  { limit, before, after, asOf }: PageBounds,
): { rows: Row[]; cursors: { next?: string; previous?: string } } => {
  const newer = after !== undefined;
  const more = found.length > limit;
  const rows = found.slice(0, limit);
  if (newer) rows.reverse();
  const [first, last] = [rows[0], rows.at(-1)];
  return {
    rows,
    cursors: {
      ...(last && (newer || more) ? { next: cursorOf(last, asOf) } : {}),
      ...(first && (newer ? more : before !== undefined) ? { previous: cursorOf(first, asOf) } : {}),
    },
  };
};
