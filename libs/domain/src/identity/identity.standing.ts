import { erasOf, isStale, type Era, type Neighbour } from './identity.eras.js';
import { areUnrelatedAccounts, compare, knownNames, type IdentityFacts, type Person } from './identity.facts.js';
import { DEFAULT_RULES, type IdentityRules } from './identity.rules.js';
import { somePair } from './pairs.js';

/**
 * Whether the rules may link over an identity, and if not, why. A `stale` one has contacts that lie too far from everybody
 * it was seen with; a `shared` one has evidently different people behind it;
 * a `disputed` one two verified accounts of which nobody knows whether they are one person's, so an agent is asked;
 * an `ended` one is an era that is told apart no more.
 */
export type Standing = 'open' | 'unlinkable' | 'hub' | 'stale' | 'shared' | 'disputed' | 'ended';

/** How the rules stand to an identity, or to one era of it. */
export interface Stand {
  standing: Standing;
  /** Whose it is in time: given where different people had it one after the other. */
  holders?: ReadonlySet<string>;
}

/** A time in which an identity was somebody else's than now. */
export interface FormerEra extends Stand {
  holders: ReadonlySet<string>;
  /** First day of the next era, since 1970-01-01 in UTC; the first era has no beginning. */
  until: number;
}

/** How the rules stand to an identity in the time of its present holders, and in the times before, the oldest first. */
export interface StandInTime extends Stand {
  former?: readonly FormerEra[];
}

/**
 * Whether links may run over an identity. It depends on nothing but the identity's own facts, the identities directly
 * beside it and their facts, so that a change reaches no further than one step.
 *
 * @param neighbours facts of the distinct identities with evidence beside this one; not read of a hub.
 */
export function standingOf(
  facts: IdentityFacts,
  neighbourCount: number,
  neighbours: () => Iterable<Neighbour<IdentityFacts>>,
  rules: IdentityRules = DEFAULT_RULES,
): StandInTime {
  if (!facts.linkable) return { standing: 'unlinkable' };
  const limit = rules.limits[facts.type] ?? rules.limits['registered'];
  if (limit !== undefined && neighbourCount > limit.neighbours) return { standing: 'hub' };
  const beside = [...neighbours()].filter((one) => one.facts.linkable);
  const people = beside.map((one) => one.facts).filter(({ type }) => rules.holderTypes.has(type));
  if (limit !== undefined && people.length > limit.holders) return { standing: 'hub' };
  // A profile describes one person by definition, even where that person's accounts carry other names.
  if (facts.type === 'profile') return { standing: 'open' };
  const window = rules.windows[facts.type];
  if (window !== undefined && isStale(beside, facts.own, window)) return { standing: 'stale' };
  const areDifferent = (one: Person, other: Person): boolean => compare(one, other, rules) === 'different';
  if (!somePair(claimsOn(facts, people, rules), areDifferent)) return { standing: disputeAmong(people, rules) };
  const eras =
    window !== undefined && namesAreExplained(facts, beside, rules) ? erasOf(beside, window, areDifferent) : undefined;
  if (eras === undefined) return { standing: 'shared' };
  const standIn = ({ users }: Era): Stand & { holders: ReadonlySet<string> } => ({
    standing: disputeAmong(
      people.filter(({ id }) => users.has(id)),
      rules,
    ),
    holders: users,
  });
  return {
    ...standIn(eras.at(-1)!),
    former: eras.slice(0, -1).map((era, index) => ({ ...standIn(era), until: eras[index + 1]!.first })),
  };
}

const disputeAmong = (people: readonly IdentityFacts[], rules: IdentityRules): Standing =>
  somePair(people, (one, other) => areUnrelatedAccounts(one, other, rules)) ? 'disputed' : 'open';

/** Whether every name seen with an identity is that of somebody beside it: of any other name nobody knows the time. */
function namesAreExplained(
  facts: IdentityFacts,
  beside: readonly Neighbour<IdentityFacts>[],
  rules: IdentityRules,
): boolean {
  return knownNames(facts, rules).every((name) =>
    beside.some((one) => compare({ names: [name] }, one.facts, rules) === 'same'),
  );
}

/** Everyone who seems to use an identity: those it was seen beside, and each name it was seen with. */
function claimsOn(facts: IdentityFacts, holders: readonly IdentityFacts[], rules: IdentityRules): Person[] {
  if (!rules.personalTypes.has(facts.type)) return [...holders];
  return [...holders, ...knownNames(facts, rules).map((name) => ({ names: [name] }))];
}

/** A pair of these is linked or proposed; any other standing keeps the rules out altogether. */
export const isCandidate = (standing: Standing): boolean => standing === 'open' || standing === 'disputed';
