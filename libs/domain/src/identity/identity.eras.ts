import type { TimeWindow } from './identity.rules.js';
import { somePair } from './pairs.js';

/** Days since 1970-01-01 in UTC, both included. */
export interface Days {
  first: number;
  last: number;
}

interface Named {
  id: string;
  type: string;
}

/** An identity that was seen beside another one, and when. */
export interface Neighbour<Facts extends Named = Named> {
  facts: Facts;
  /** Absent where nobody said when: such a neighbour may have been there at any time. */
  days?: Days;
}

/** A time in which an identifier was one customer's. */
export interface Era {
  /** First day somebody was seen with it. */
  first: number;
  /** Ids of those beside it in that time. */
  users: ReadonlySet<string>;
}

interface Stretch<Facts extends Named> extends Days {
  users: Neighbour<Facts>[];
}

/** The stretch of days that covers both; either may be unknown. */
export const span = (one: Days | undefined, other: Days | undefined): Days | undefined =>
  one && other ? { first: Math.min(one.first, other.first), last: Math.max(one.last, other.last) } : (one ?? other);

/** Whether contacts of its own lie too far from everybody it was seen with for anyone to know whose they are. */
export function isStale(neighbours: readonly Neighbour[], own: Days | undefined, { staleDays }: TimeWindow): boolean {
  if (staleDays === undefined || own === undefined) return false;
  if (neighbours.length === 0 || neighbours.some(({ days }) => days === undefined)) return false;
  const seen = neighbours.reduce<Days | undefined>((all, { days }) => span(all, days), undefined)!;
  return own.first < seen.first - staleDays || own.last > seen.last + staleDays;
}

/**
 * The times of an identifier that evidently different people had one after the other, the oldest first: use that a long
 * silence parts, with different people on either side of it. Undefined where there is one time only, or where they cannot
 * be told apart.
 */
export function erasOf<Facts extends Named>(
  neighbours: readonly Neighbour<Facts>[],
  { apartDays }: TimeWindow,
  areDifferent: (one: Facts, other: Facts) => boolean,
): Era[] | undefined {
  const dated = neighbours.filter((one): one is Neighbour<Facts> & { days: Days } => one.days !== undefined);
  if (dated.length < neighbours.length) return undefined;
  // Two systems' records of different people both say that the identifier is theirs now.
  if (somePair(factsOf(neighbours.filter(isProfile)), areDifferent)) return undefined;
  const stretches: Stretch<Facts>[] = [];
  for (const { facts, days } of dated.toSorted((one, other) => one.days.first - other.days.first)) {
    const stretch = stretches.at(-1);
    if (stretch === undefined || days.first - stretch.last > apartDays)
      stretches.push({ ...days, users: [{ facts, days }] });
    else {
      stretch.users.push({ facts, days });
      stretch.last = Math.max(stretch.last, days.last);
    }
  }
  const parted: Stretch<Facts>[] = [];
  for (const stretch of stretches) {
    const before = parted.at(-1);
    if (before?.users.some((one) => stretch.users.some((other) => areDifferent(one.facts, other.facts))) ?? true)
      parted.push(stretch);
    else {
      before!.users.push(...stretch.users);
      before!.last = stretch.last;
    }
  }
  if (parted.length < 2 || parted.some(({ users }) => somePair(factsOf(users), areDifferent))) return undefined;
  return parted.map(({ first, users }) => ({ first, users: new Set(factsOf(users).map(({ id }) => id)) }));
}

const isProfile = ({ facts }: Neighbour): boolean => facts.type === 'profile';
const factsOf = <Facts extends Named>(users: readonly Neighbour<Facts>[]): Facts[] => users.map(({ facts }) => facts);
