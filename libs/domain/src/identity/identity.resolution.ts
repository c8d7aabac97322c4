import { holdersInTime, isStale, span, type Days, type Neighbour } from './identity.eras.js';
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
  /** When it had contacts of its own: kept for types with a time window only. */
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
  const dated = ownDay !== undefined && rules.windows[facts.type] !== undefined && !covers(facts.own, ownDay);
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

/** How two identities came to be seen together. */
export type EvidenceKind = 'profile-import' | 'identify' | 'same-mailbox' | 'same-interaction';

/** That two identities of one tenant were seen together. The order of the two means nothing. */
export interface Evidence {
  a: string;
  b: string;
  kind: EvidenceKind;
  /** When, of whatever kind; asked only where an end has a time window. Absent where nobody said when. */
  days?: Days;
}

/**
 * What an agent said about two identities. `together` links them whatever the rules say; `apart` keeps the rules from
 * linking or proposing these two. It decides its own pair and nothing else: the rules make of every other pair what they
 * would make of it without the ruling, so that what a ruling does can be seen before, and undone. A withdrawn ruling is
 * no ruling.
 */
export interface Ruling {
  a: string;
  b: string;
  verdict: 'together' | 'apart';
}

/**
 * Whether the rules may link over an identity, and if not, why. A `stale` one has contacts that lie too far from everybody
 * it was seen with; a `shared` one has evidently different people behind it;
 * a `disputed` one two verified accounts of which nobody knows whether they are one person's, so an agent is asked.
 */
export type Standing = 'open' | 'unlinkable' | 'hub' | 'stale' | 'shared' | 'disputed';

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
  reason: 'conflicting-accounts' | 'conflicting-profiles' | 'same-name';
  confidence: number;
}

export interface Resolution {
  links: ResolvedLink[];
  proposals: ResolvedProposal[];
}

/** An identity with its standing; links run to `holders` alone where they are given. */
export interface Gathered extends Stand {
  facts: IdentityFacts;
}

export interface Stand {
  standing: Standing;
  /** Whose it is in time: given where different people had it one after the other. */
  holders?: ReadonlySet<string>;
}

/** A part of a tenant's evidence that can be resolved by itself. */
export interface Neighbourhood {
  identities: ReadonlyMap<string, Gathered>;
  evidence: readonly Evidence[];
  rulings: readonly Ruling[];
  /** How many identities bear a full name that several of the gathered ones bear. */
  bearers: ReadonlyMap<string, number>;
}

/** What `gather` reads of one tenant. Every answer includes the event that is being resolved. */
export interface EvidenceReader {
  facts(id: string): IdentityFacts | undefined;
  /** Number of distinct identities with evidence beside this one; asked before `evidenceOf`, which a hub spares. */
  neighbourCount(id: string): number;
  evidenceOf(id: string): Iterable<Evidence>;
  rulingsOf(id: string): Iterable<Ruling>;
  /** The other ends of the links that are active and the proposals that are open now, whoever made them, agents too. */
  settledWith(id: string): Iterable<string>;
  /** Number of linkable identities seen under this full name; asked before `bearersOf`, which a common name spares. */
  bearerCount(name: string): number;
  bearersOf(name: string): Iterable<string>;
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
): Stand {
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
  const holders =
    window !== undefined && namesAreExplained(facts, beside, rules)
      ? holdersInTime(beside, facts.own, window, areDifferent)
      : undefined;
  if (holders === undefined) return { standing: 'shared' };
  const inTime = people.filter(({ id }) => holders.has(id));
  return { standing: disputeAmong(inTime, rules), holders };
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

type Person = Pick<IdentityFacts, 'names' | 'birthDates'>;

function compare(one: Person, other: Person, rules: IdentityRules): 'same' | 'different' | 'unknown' {
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

function areUnrelatedAccounts(one: IdentityFacts, other: IdentityFacts, rules: IdentityRules): boolean {
  if (one.type !== 'account' || other.type !== 'account') return false;
  return one.verified && other.verified && compare(one, other, rules) === 'unknown';
}

function knownNames({ names }: Person, { maxNames }: IdentityRules): readonly NameKey[] {
  return names.length > maxNames ? [] : names;
}

function somePair<T>(items: readonly T[], test: (one: T, other: T) => boolean): boolean {
  return items.some((one, index) => items.slice(index + 1).some((other) => test(one, other)));
}

/**
 * The smallest part of the evidence that decides every link which may have changed, and the namesakes of that part, so that
 * what may have to be proposed is known too.
 *
 * @param touched identities that gained or lost evidence or a ruling, and of every identity whose facts changed the
 *   identity itself and all that have evidence beside it (`touchedBy` lists them).
 */
export function gather(
  touched: Iterable<string>,
  reader: EvidenceReader,
  rules: IdentityRules = DEFAULT_RULES,
): Neighbourhood {
  const identities = new Map<string, Gathered>();
  const evidence = new Map<string, Evidence>();
  const rulings = new Map<string, Ruling>();
  const reach = (waiting: string[]): void => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (identities.has(id)) continue;
      const facts = reader.facts(id);
      if (facts === undefined) continue;
      const stand = readStanding(facts, reader, rules);
      identities.set(id, { facts, ...stand });
      // Over a closed identity go only links to retract and what an agent joined, so a landline gathers no whole street.
      waiting.push(...reader.settledWith(id));
      for (const ruling of reader.rulingsOf(id)) rulings.set(pairKey(ruling.a, ruling.b), ruling);
      if (!isCandidate(stand.standing)) continue;
      for (const item of reader.evidenceOf(id)) {
        evidence.set(`${pairKey(item.a, item.b)} ${item.kind}`, item);
        waiting.push(otherEnd(item, id));
      }
    }
  };
  const told = new Set(touched);
  reach([...told]);
  reach(namesakesOf(identities, told, reader, rules));
  const bearers = new Map<string, number>();
  for (const [name, bearing] of namesOf(identities, rules))
    if (bearing.length > 1) bearers.set(name, reader.bearerCount(name));
  return { identities, evidence: [...evidence.values()], rulings: [...rulings.values()], bearers };
}

/** Who bears a name of the core, where the name is uncommon or was so before the core came to bear it. */
function namesakesOf(
  core: Neighbourhood['identities'],
  touched: ReadonlySet<string>,
  reader: EvidenceReader,
  { sameName: { identities: most } }: IdentityRules,
): string[] {
  if (most === 0) return [];
  const bearing = new Map<string, number>();
  for (const [id, { facts, standing }] of core) {
    if (standing !== 'open' && !touched.has(id)) continue;
    // Also the names of an identity that has just got too many of them: without it they may be uncommon again.
    if (facts.linkable) for (const name of fullNamesOf(facts.names)) bearing.set(name, (bearing.get(name) ?? 0) + 1);
  }
  const found: string[] = [];
  for (const [name, own] of bearing) if (reader.bearerCount(name) - own <= most) found.push(...reader.bearersOf(name));
  return found;
}

/** The full names that tell something, each with the identities that bear it. */
function namesOf(identities: Neighbourhood['identities'], rules: IdentityRules): Map<string, string[]> {
  const bearers = new Map<string, string[]>();
  if (rules.sameName.identities === 0) return bearers;
  for (const [id, { facts }] of identities) {
    for (const name of bornNames(facts, rules)) {
      const known = bearers.get(name);
      if (known === undefined) bearers.set(name, [id]);
      else known.push(id);
    }
  }
  return bearers;
}

/** The full names under which an identity counts as seen: none where it may not link or has too many. */
export function bornNames(facts: IdentityFacts, rules: IdentityRules = DEFAULT_RULES): readonly string[] {
  return facts.linkable ? fullNamesOf(knownNames(facts, rules)) : [];
}

/** The identities to gather from after an event: see `gather`. */
export function touchedBy(
  change: { evidence?: Iterable<Evidence>; rulings?: Iterable<Ruling>; facts?: Iterable<string> },
  reader: Pick<EvidenceReader, 'evidenceOf'>,
): Set<string> {
  const touched = new Set<string>();
  for (const { a, b } of [...(change.evidence ?? []), ...(change.rulings ?? [])]) touched.add(a).add(b);
  for (const id of change.facts ?? []) {
    touched.add(id);
    for (const item of reader.evidenceOf(id)) touched.add(otherEnd(item, id));
  }
  return touched;
}

function readStanding(facts: IdentityFacts, reader: EvidenceReader, rules: IdentityRules): Stand {
  const neighbours = (): Neighbour<IdentityFacts>[] => {
    const days = new Map<string, Days | undefined>();
    for (const item of reader.evidenceOf(facts.id)) {
      const id = otherEnd(item, facts.id);
      days.set(id, span(days.get(id), item.days));
    }
    return [...days].flatMap(([id, seen]) => {
      const found = reader.facts(id);
      return found ? [{ facts: found, ...(seen && { days: seen }) }] : [];
    });
  };
  return standingOf(facts, reader.neighbourCount(facts.id), neighbours, rules);
}

/**
 * Decides the links of a neighbourhood: every pair with evidence between two open identities is linked, strongest first,
 * unless that would put evidently different people, or verified accounts that nothing relates, into one customer: that is
 * proposed to an agent instead. The answer depends on the sets given and on nothing else.
 */
export function resolve(neighbourhood: Neighbourhood, rules: IdentityRules = DEFAULT_RULES): Resolution {
  const { identities } = neighbourhood;
  const customers = new Customers(neighbourhood, rules);
  const rulings = new Map(neighbourhood.rulings.map((ruling) => [pairKey(ruling.a, ruling.b), ruling.verdict]));
  const links: ResolvedLink[] = [];
  const proposals: ResolvedProposal[] = [];

  for (const { a, b, verdict } of neighbourhood.rulings) {
    if (verdict !== 'together' || !identities.has(a) || !identities.has(b)) continue;
    links.push({ ...ordered(a, b), evidence: 'agent', confidence: 1 });
  }
  for (const candidate of candidatesOf(neighbourhood, rules)) {
    const { a, b, evidence, confidence } = candidate;
    const ruled = rulings.has(pairKey(a, b));
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

export interface LinkedPair {
  a: string;
  b: string;
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
    const one = identities.get(item.a);
    const other = identities.get(item.b);
    if (item.a === item.b || one === undefined || other === undefined) continue;
    if (!isCandidate(one.standing) || !isCandidate(other.standing)) continue;
    if (!holds(one, item.b) || !holds(other, item.a)) continue;
    const key = pairKey(item.a, item.b);
    const confidence = confidenceOf(item.kind, one.facts.type, other.facts.type, rules);
    const known = strongest.get(key);
    const gain = known === undefined ? 1 : confidence - known.confidence;
    if (gain > 0 || (gain === 0 && known !== undefined && item.kind < known.evidence)) {
      strongest.set(key, { ...ordered(item.a, item.b), evidence: item.kind, confidence });
    }
  }
  return [...strongest.values()].toSorted((one, other) => other.confidence - one.confidence || byPair(one, other));
}

function confidenceOf(kind: EvidenceKind, one: string, other: string, rules: IdentityRules): number {
  const product = rules.confidence[kind] * (rules.discount[one] ?? 1) * (rules.discount[other] ?? 1);
  return Math.round(product * 1000) / 1000;
}

/** Components that grow while links are made, each with the people that claim it. */
class Customers {
  private readonly parents = new Map<string, string>();
  private readonly holders = new Map<string, IdentityFacts[]>();

  constructor(
    private readonly neighbourhood: Neighbourhood,
    private readonly rules: IdentityRules,
  ) {}

  join(a: string, b: string): void {
    const one = this.rootOf(a);
    const other = this.rootOf(b);
    if (one === other) return;
    const ones = this.holdersOf(one);
    const others = this.holdersOf(other);
    const [root, child] = ones.length >= others.length ? [one, other] : [other, one];
    this.parents.set(child, root);
    this.holders.set(root, root === one ? [...ones, ...others] : [...others, ...ones]);
    this.holders.delete(child);
  }

  conflict(a: string, b: string): ResolvedProposal['reason'] | undefined {
    const one = this.rootOf(a);
    const other = this.rootOf(b);
    if (one === other) return undefined;
    let reason: ResolvedProposal['reason'] | undefined;
    for (const mine of this.holdersOf(one)) {
      for (const theirs of this.holdersOf(other)) {
        const different = compare(mine, theirs, this.rules) === 'different';
        if (!different && !areUnrelatedAccounts(mine, theirs, this.rules)) continue;
        if (mine.type !== 'profile' && theirs.type !== 'profile') return 'conflicting-accounts';
        reason = 'conflicting-profiles';
      }
    }
    return reason;
  }

  areOne(a: string, b: string): boolean {
    return this.rootOf(a) === this.rootOf(b);
  }

  /** A text for the two customers that these belong to. */
  pairOf(a: string, b: string): string {
    return pairKey(this.rootOf(a), this.rootOf(b));
  }

  private rootOf(id: string): string {
    let root = id;
    for (let parent = this.parents.get(root); parent !== undefined; parent = this.parents.get(root)) root = parent;
    for (let step = id; step !== root;) {
      const next = this.parents.get(step) ?? root;
      this.parents.set(step, root);
      step = next;
    }
    return root;
  }

  private holdersOf(root: string): readonly IdentityFacts[] {
    const known = this.holders.get(root);
    if (known !== undefined) return known;
    const facts = this.neighbourhood.identities.get(root)?.facts;
    const holds = facts !== undefined && facts.linkable && this.rules.holderTypes.has(facts.type);
    return holds && (facts.verified || facts.type === 'profile') ? [facts] : [];
  }
}

/** A pair of these is linked or proposed; any other standing keeps the rules out altogether. */
const isCandidate = (standing: Standing): boolean => standing === 'open' || standing === 'disputed';
const holds = ({ holders }: Gathered, id: string): boolean => holders?.has(id) ?? true;
const isDisputed = (identities: Neighbourhood['identities'], id: string): boolean =>
  identities.get(id)?.standing === 'disputed';
const otherEnd = ({ a, b }: LinkedPair, id: string): string => (a === id ? b : a);
const ordered = (a: string, b: string): LinkedPair => (a < b ? { a, b } : { a: b, b: a });
const pairKey = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

function byPair(one: LinkedPair, other: LinkedPair): number {
  if (one.a !== other.a) return one.a < other.a ? -1 : 1;
  if (one.b === other.b) return 0;
  return one.b < other.b ? -1 : 1;
}
