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

interface Era<Facts extends Named> extends Days {
  users: Neighbour<Facts>[];
}

/** The stretch of days that covers both; either may be unknown. */
export const span = (one: Days | undefined, other: Days | undefined): Days | undefined =>
  one && other ? { first: Math.min(one.first, other.first), last: Math.max(one.last, other.last) } : (one ?? other);

/**
 * Whose an identifier is that evidently different people used one after the other: those beside it in the one era that its
 * own contacts lie in, or in the latest where it has none of its own. Undefined where the eras cannot be told apart, or
 * where its own contacts lie in several: they all go one way, so it must go nowhere.
 *
 * @param own days of the contacts that belong to the identifier itself.
 */
export function holdersInTime<Facts extends Named>(
  neighbours: readonly Neighbour<Facts>[],
  own: Days | undefined,
  { apartDays }: TimeWindow,
  areDifferent: (one: Facts, other: Facts) => boolean,
): ReadonlySet<string> | undefined {
  const eras = erasOf(neighbours, apartDays, areDifferent);
  if (eras === undefined || eras.length < 2) return undefined;
  const eraAt = (day: number): number => Math.max(0, eras.filter(({ first }) => first <= day).length - 1);
  const holding = own === undefined ? eras.length - 1 : eraAt(own.first);
  if (own !== undefined && eraAt(own.last) !== holding) return undefined;
  return new Set(eras[holding]!.users.map(({ facts }) => facts.id));
}

/** Whether contacts of its own lie too far from everybody it was seen with for anyone to know whose they are. */
export function isStale(neighbours: readonly Neighbour[], own: Days | undefined, { staleDays }: TimeWindow): boolean {
  if (staleDays === undefined || own === undefined) return false;
  if (neighbours.length === 0 || neighbours.some(({ days }) => days === undefined)) return false;
  const seen = neighbours.reduce<Days | undefined>((all, { days }) => span(all, days), undefined)!;
  return own.first < seen.first - staleDays || own.last > seen.last + staleDays;
}

/** Use that a long silence parts, and on either side of it evidently different people; undefined where they overlap. */
function erasOf<Facts extends Named>(
  neighbours: readonly Neighbour<Facts>[],
  apartDays: number,
  areDifferent: (one: Facts, other: Facts) => boolean,
): Era<Facts>[] | undefined {
  const dated = neighbours.filter((one): one is Neighbour<Facts> & { days: Days } => one.days !== undefined);
  if (dated.length < neighbours.length) return undefined;
  // Two systems' records of different people both say that the identifier is theirs now.
  if (somePair(factsOf(neighbours.filter(isProfile)), areDifferent)) return undefined;
  const eras: Era<Facts>[] = [];
  for (const { facts, days } of dated.toSorted((one, other) => one.days.first - other.days.first)) {
    const era = eras.at(-1);
    if (era === undefined || days.first - era.last > apartDays) eras.push({ ...days, users: [{ facts, days }] });
    else {
      era.users.push({ facts, days });
      era.last = Math.max(era.last, days.last);
    }
  }
  const parted: Era<Facts>[] = [];
  for (const era of eras) {
    const before = parted.at(-1);
    if (before?.users.some((one) => era.users.some((other) => areDifferent(one.facts, other.facts))) ?? true)
      parted.push(era);
    else {
      before!.users.push(...era.users);
      before!.last = era.last;
    }
  }
  return parted.some(({ users }) => somePair(factsOf(users), areDifferent)) ? undefined : parted;
}

const isProfile = ({ facts }: Neighbour): boolean => facts.type === 'profile';
const factsOf = <Facts extends Named>(users: readonly Neighbour<Facts>[]): Facts[] => users.map(({ facts }) => facts);
