import { span, type Days } from './identity.eras.js';
import { DEFAULT_RULES, type IdentityRules } from './identity.rules.js';
import { areDifferentPeople, fullNamesOf, nameKeyText, type NameKey } from './person-name.js';

/** What is known about one identity by itself: a set, whatever the order in which it was learned. */
export interface IdentityFacts {
  id: string;
  type: string;
  /** False for weak and blocked identifiers: they never take part in a link that a rule makes. */
  linkable: boolean;
  /** Some channel or profile proved who holds it. */
  verified: boolean;
  /** The distinct names seen with it; its words may be keyed hashes. */
  names: readonly NameKey[];
  /** The distinct birth dates that profiles give for it, as text or keyed hash. */
  birthDates?: readonly string[];
  /** When it had contacts of its own: kept for types only whose rules say when these are stale. */
  own?: Days;
}

/** What a contact or a profile adds to the facts of an identity. */
export interface Observation {
  name?: NameKey;
  /** Only a profile knows it, and only of its own identity. */
  birthDate?: string;
  verified?: boolean;
  /** Day of a contact that belongs to the identity itself, since 1970-01-01 in UTC. */
  ownDay?: number;
}

/**
 * Facts with an observation added: the same object where nothing changes that a rule could see, so that the caller knows
 * whether the identity was touched. Observations in any order give facts that resolve alike.
 */
export function learn(facts: IdentityFacts, seen: Observation, rules: IdentityRules = DEFAULT_RULES): IdentityFacts {
  const { name, birthDate, verified, ownDay } = seen;
  const known = (one: NameKey): boolean => facts.names.some((other) => nameKeyText(other) === nameKeyText(one));
  const names =
    name === undefined || facts.names.length > rules.maxNames || known(name) ? undefined : [...facts.names, name];
  const dates = facts.birthDates ?? [];
  const birthDates = birthDate === undefined || dates.includes(birthDate) ? undefined : [...dates, birthDate];
  const proven = verified === true && !facts.verified;
  const dated =
    ownDay !== undefined && rules.windows[facts.type]?.staleDays !== undefined && !covers(facts.own, ownDay);
  const own = dated ? span(facts.own, { first: ownDay, last: ownDay }) : undefined;
  if (names === undefined && birthDates === undefined && !proven && own === undefined) return facts;
  return {
    ...facts,
    verified: facts.verified || proven,
    names: names ?? facts.names,
    ...(birthDates && { birthDates }),
    ...(own && { own }),
  };
}

const covers = (days: Days | undefined, day: number): boolean =>
  days !== undefined && days.first <= day && day <= days.last;

/** The full names under which an identity counts as seen: none where it may not link or has too many. */
export function bornNames(facts: IdentityFacts, rules: IdentityRules = DEFAULT_RULES): readonly string[] {
  return facts.linkable ? fullNamesOf(knownNames(facts, rules)) : [];
}

/** Somebody, as far as names and birth dates tell. */
export type Person = Pick<IdentityFacts, 'names' | 'birthDates'>;

/** Whether two may be one person. */
export function compare(one: Person, other: Person, rules: IdentityRules): 'same' | 'different' | 'unknown' {
  const { birthDates = [] } = one;
  const { birthDates: otherDates = [] } = other;
  if (birthDates.length > 0 && otherDates.length > 0) {
    if (!birthDates.some((date) => otherDates.includes(date))) return 'different';
  }
  const names = knownNames(one, rules);
  const otherNames = knownNames(other, rules);
  if (names.length === 0 || otherNames.length === 0) return 'unknown';
  const differ = names.every((name) => otherNames.every((another) => areDifferentPeople(name, another)));
  return differ ? 'different' : 'same';
}

/** Whether these are two verified accounts of which nobody knows whether one person holds both. */
export function areUnrelatedAccounts(one: IdentityFacts, other: IdentityFacts, rules: IdentityRules): boolean {
  if (one.type !== 'account' || other.type !== 'account') return false;
  return one.verified && other.verified && compare(one, other, rules) === 'unknown';
}

/** The names of somebody; none where there are too many to tell anything. */
export function knownNames({ names }: Person, { maxNames }: IdentityRules): readonly NameKey[] {
  return names.length > maxNames ? [] : names;
}
