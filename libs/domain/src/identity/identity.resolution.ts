import { Customers, type Conflict } from './identity.customers.js';
import { byPair, ordered, pairKey, type EvidenceKind, type LinkedPair } from './identity.evidence.js';
import { namesOf, type Gathered, type Neighbourhood } from './identity.gathering.js';
import { DEFAULT_RULES, type IdentityRules } from './identity.rules.js';
import { isCandidate } from './identity.standing.js';

/** A link that holds; `a` sorts before `b`. */
export interface ResolvedLink {
  a: string;
  b: string;
  evidence: EvidenceKind | 'agent';
  /** 0 to 1, of the strongest evidence. */
  confidence: number;
}

/** A pair that evidence speaks for; `a` sorts before `b`. */
interface Candidate extends ResolvedLink {
  evidence: EvidenceKind;
}

/** A link that the rules leave to an agent; `a` sorts before `b`. */
export interface ResolvedProposal {
  a: string;
  b: string;
  evidence: EvidenceKind | 'same-name';
  reason: Conflict | 'same-name';
  confidence: number;
}

export interface Resolution {
  links: ResolvedLink[];
  proposals: ResolvedProposal[];
}

/**
 * Decides the links of a neighbourhood: every pair with evidence between two open identities is linked, strongest first,
 * unless that would put evidently different people, or verified accounts that nothing relates, into one customer: that is
 * proposed to an agent instead. The answer depends on the sets given and on nothing else.
 */
export function resolve(neighbourhood: Neighbourhood, rules: IdentityRules = DEFAULT_RULES): Resolution {
  const { identities } = neighbourhood;
  const customers = new Customers(neighbourhood, rules);
  const ruledOn = new Set(neighbourhood.rulings.map(({ a, b }) => pairKey(a, b)));
  const links: ResolvedLink[] = [];
  const proposals: ResolvedProposal[] = [];

  for (const { a, b, verdict } of neighbourhood.rulings) {
    if (verdict !== 'together' || !identities.has(a) || !identities.has(b)) continue;
    links.push({ ...ordered(a, b), evidence: 'agent', confidence: 1 });
  }
  for (const candidate of candidatesOf(neighbourhood, rules)) {
    const { a, b, evidence, confidence } = candidate;
    const ruled = ruledOn.has(pairKey(a, b));
    const disputed = isDisputed(identities, a) || isDisputed(identities, b);
    const reason = disputed ? 'conflicting-accounts' : customers.conflict(a, b);
    if (reason !== undefined) {
      if (!ruled) proposals.push({ a, b, evidence, reason, confidence });
      continue;
    }
    customers.join(a, b);
    if (!ruled) links.push(candidate);
  }
  proposals.push(...namesakeProposals(neighbourhood, customers, proposals, rules));
  return { links: links.toSorted(byPair), proposals: proposals.toSorted(byPair) };
}

/**
 * Two customers that bear one uncommon full name, and that nothing known tells apart, are put to an agent: by the pair of
 * identities that says most, once for the two customers. What an agent said about any pair of them settles it.
 */
function namesakeProposals(
  { identities, rulings, bearers }: Neighbourhood,
  customers: Customers,
  asked: readonly LinkedPair[],
  rules: IdentityRules,
): ResolvedProposal[] {
  const { identities: most, confidence } = rules.sameName;
  const settled = new Set<string>();
  for (const { a, b } of [...asked, ...rulings]) settled.add(customers.pairOf(a, b));
  // Of what changed hands nobody knows which of its names is its holder's.
  const open = new Map([...identities].filter(([, { standing, holders }]) => standing === 'open' && !holders));
  const best = new Map<string, LinkedPair>();
  for (const [name, bearing] of namesOf(open, rules)) {
    if ((bearers.get(name) ?? 0) > most) continue;
    for (const [index, one] of bearing.entries()) {
      for (const other of bearing.slice(index + 1)) {
        const key = customers.pairOf(one, other);
        if (customers.areOne(one, other) || settled.has(key)) continue;
        const pair = ordered(one, other);
        const known = best.get(key);
        if (known === undefined || byWeight(pair, known, identities, rules) < 0) best.set(key, pair);
      }
    }
  }
  return [...best.values()]
    .filter(({ a, b }) => customers.conflict(a, b) === undefined)
    .map((pair): ResolvedProposal => ({ ...pair, evidence: 'same-name', reason: 'same-name', confidence }));
}

/** Pairs of profiles and strong identifiers first: they come early and stay, so that a proposal does not change its pair. */
function byWeight(
  one: LinkedPair,
  other: LinkedPair,
  identities: Neighbourhood['identities'],
  rules: IdentityRules,
): number {
  const rank = (id: string): number => {
    const type = identities.get(id)?.facts.type ?? '';
    const place = rules.anchor.indexOf(type);
    return type === 'profile' ? -1 : place === -1 ? rules.anchor.length : place;
  };
  return rank(one.a) + rank(one.b) - rank(other.a) - rank(other.b) || byPair(one, other);
}

/** What has to be recorded so that the log agrees with a resolution. */
export interface ResolutionChanges {
  link: ResolvedLink[];
  propose: ResolvedProposal[];
  /** Rule links that no longer hold. */
  retract: LinkedPair[];
  /** Open proposals that no longer stand: the pair is linked by now, or is no candidate any more. */
  withdraw: LinkedPair[];
}

/**
 * Compares a resolution with what the log says of the same neighbourhood. Pairs are compared, not their evidence: a link
 * keeps the evidence it was made on.
 *
 * @param current active links and open proposals with at least one end in the neighbourhood.
 */
export function changesTo(
  resolution: Resolution,
  current: { links: Iterable<LinkedPair>; proposals: Iterable<LinkedPair> },
): ResolutionChanges {
  const links = missing(resolution.links, current.links);
  const proposals = missing(resolution.proposals, current.proposals);
  return { link: links.added, propose: proposals.added, retract: links.removed, withdraw: proposals.removed };
}

function missing<T extends LinkedPair>(wanted: readonly T[], current: Iterable<LinkedPair>) {
  const wantedKeys = new Set(wanted.map(({ a, b }) => pairKey(a, b)));
  const currentPairs = new Map([...current].map(({ a, b }) => [pairKey(a, b), ordered(a, b)]));
  return {
    added: wanted.filter(({ a, b }) => !currentPairs.has(pairKey(a, b))),
    removed: [...currentPairs]
      .filter(([key]) => !wantedKeys.has(key))
      .map(([, pair]) => pair)
      .toSorted(byPair),
  };
}

/** The pairs that the rules may link, each with its strongest evidence, strongest pair first. */
function candidatesOf({ identities, evidence }: Neighbourhood, rules: IdentityRules): Candidate[] {
  const strongest = new Map<string, Candidate>();
  for (const item of evidence) {
    if (item.a === item.b) continue;
    for (const one of inTimes(identities, item.a)) {
      for (const other of inTimes(identities, item.b)) {
        if (!isCandidate(one.standing) || !isCandidate(other.standing)) continue;
        if (!holds(one, item.b) || !holds(other, item.a)) continue;
        const pair = ordered(one.facts.id, other.facts.id);
        const key = pairKey(pair.a, pair.b);
        const confidence = confidenceOf(item.kind, one.facts.type, other.facts.type, rules);
        const known = strongest.get(key);
        const gain = known === undefined ? 1 : confidence - known.confidence;
        if (gain > 0 || (gain === 0 && known !== undefined && item.kind < known.evidence))
          strongest.set(key, { ...pair, evidence: item.kind, confidence });
      }
    }
  }
  return [...strongest.values()].toSorted((one, other) => other.confidence - one.confidence || byPair(one, other));
}

/** An identity with its former eras: evidence speaks for the one that has the other end among its holders. */
function inTimes(identities: Neighbourhood['identities'], id: string): Gathered[] {
  const whole = identities.get(id);
  if (whole === undefined) return [];
  return [whole, ...(whole.former ?? []).map((era) => identities.get(era.id)!)];
}

function confidenceOf(kind: EvidenceKind, one: string, other: string, rules: IdentityRules): number {
  const product = rules.confidence[kind] * (rules.discount[one] ?? 1) * (rules.discount[other] ?? 1);
  return Math.round(product * 1000) / 1000;
}

const holds = ({ holders }: Gathered, id: string): boolean => holders?.has(id) ?? true;
const isDisputed = (identities: Neighbourhood['identities'], id: string): boolean =>
  identities.get(id)?.standing === 'disputed';
