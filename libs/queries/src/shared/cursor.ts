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
