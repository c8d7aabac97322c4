import { HubError } from '#libs/kernel';

/** A place on a timeline: entries are unique in it and sorted by it. */
export interface TimelinePlace {
  occurredAt: number;
  position: number;
}

/** The opaque text of a place, for `before` and `after`. */
export const cursorOf = ({ occurredAt, position }: TimelinePlace): string =>
  Buffer.from(`${occurredAt}.${position}`).toString('base64url');

/** @throws HubError `QUERY.INVALID` naming the parameter, for anything this hub did not hand out. */
export const placeOf = (cursor: string, parameter: string): TimelinePlace => {
  const match = /^(-?\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match)
    throw invalidQuery(
      parameter,
      'is not a cursor of this API',
      'pass on `next` or `previous` of an earlier answer unchanged',
    );
  return { occurredAt: Number(match[1]), position: Number(match[2]) };
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
}

/** The place a page begins behind, and which way it goes from there. */
export const startOf = ({ before, after }: PageBounds): { place?: TimelinePlace; newer: boolean } => {
  if (after !== undefined) return { place: placeOf(after, 'after'), newer: true };
  return before === undefined ? { newer: false } : { place: placeOf(before, 'before'), newer: false };
};

/**
 * One page, newest first, of rows read in the direction of `startOf` with one more than the limit: that one only tells
 * whether to go on.
 */
export const pageOf = <Row extends TimelinePlace>(
  found: readonly Row[],
  { limit, before, after }: PageBounds,
): { rows: Row[]; cursors: { next?: string; previous?: string } } => {
  const newer = after !== undefined;
  const more = found.length > limit;
  const rows = found.slice(0, limit);
  if (newer) rows.reverse();
  const [first, last] = [rows[0], rows.at(-1)];
  return {
    rows,
    cursors: {
      ...(last && (newer || more) ? { next: cursorOf(last) } : {}),
      ...(first && (newer ? more : before !== undefined) ? { previous: cursorOf(first) } : {}),
    },
  };
};
