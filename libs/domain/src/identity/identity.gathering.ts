import { span, type Days, type Neighbour } from './identity.eras.js';
import { otherEnd, pairKey, type Evidence, type EvidenceReader, type Ruling } from './identity.evidence.js';
import { bornNames, type IdentityFacts } from './identity.facts.js';
import { DEFAULT_RULES, type IdentityRules } from './identity.rules.js';
import { isCandidate, standingOf, type FormerEra, type Stand, type StandInTime } from './identity.standing.js';
import { fullNamesOf } from './person-name.js';

/** An identity, or a former era of one, with its standing; links run to `holders` alone where they are given. */
export interface Gathered extends Stand {
  facts: IdentityFacts;
  /** Of a former era: the identity that it is one of. */
  whole?: string;
  /** Of an identity: every former era that it has or had. */
  parts?: readonly string[];
  /** Of an identity: the former eras it has, the oldest first. */
  former?: readonly FormerId[];
}

/** A former era by its id. */
export interface FormerId {
  id: string;
  /** First day that is no longer in it, since 1970-01-01 in UTC. */
  until: number;
}

/** A part of a tenant's evidence that can be resolved by itself. */
export interface Neighbourhood {
  identities: ReadonlyMap<string, Gathered>;
  evidence: readonly Evidence[];
  rulings: readonly Ruling[];
  /** How many identities bear a full name that several of the gathered ones bear. */
  bearers: ReadonlyMap<string, number>;
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
      const whole = reader.wholeOf(id) ?? id;
      if (identities.has(whole)) continue;
      const facts = reader.facts(whole);
      if (facts === undefined) continue;
      const { former = [], ...stand } = readStanding(facts, reader, rules);
      const eras = new Map(former.map((era, number) => [reader.formerOf(whole, number), era]));
      const parts = [...new Set([...reader.formersOf(whole), ...eras.keys()])];
      const told = [...eras].map(([part, { until }]) => ({ id: part, until }));
      identities.set(whole, { facts, ...stand, parts, former: told });
      for (const part of parts) identities.set(part, { ...partOf(facts, part, eras.get(part)), whole });
      for (const one of [whole, ...parts]) {
        // Over a closed identity go only links to retract and what an agent joined, so a landline gathers no whole street.
        waiting.push(...reader.settledWith(one));
        for (const ruling of reader.rulingsOf(one)) rulings.set(pairKey(ruling.a, ruling.b), ruling);
      }
      if (!isCandidate(stand.standing)) continue;
      for (const item of reader.evidenceOf(whole)) {
        evidence.set(`${pairKey(item.a, item.b)} ${item.kind}`, item);
        waiting.push(otherEnd(item, whole));
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

/** An era as an identity of its own: what was seen of the whole, nobody knows at which time. */
const partOf = ({ type, linkable }: IdentityFacts, id: string, era: FormerEra | undefined): Gathered => ({
  facts: { id, type, linkable, verified: false, names: [] },
  standing: era?.standing ?? 'ended',
  holders: era?.holders ?? new Set(),
});

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
export function namesOf(identities: Neighbourhood['identities'], rules: IdentityRules): Map<string, string[]> {
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

function readStanding(facts: IdentityFacts, reader: EvidenceReader, rules: IdentityRules): StandInTime {
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
