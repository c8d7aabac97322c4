import { span } from './identity.eras.js';
import type { Evidence, EvidenceKind, EvidenceReader, LinkedPair, Ruling } from './identity.evidence.js';
import { bornNames, learn, type IdentityFacts, type Observation } from './identity.facts.js';
import { gather, touchedBy } from './identity.gathering.js';
import { changesTo, resolve, type Resolution } from './identity.resolution.js';
import { DEFAULT_RULES, type IdentityRules } from './identity.rules.js';
import { nameKey } from './person-name.js';

export type Step =
  | ({ does: 'see'; a: string; b: string; kind: EvidenceKind; day?: number } & { name?: string })
  | ({ does: 'observe'; id: string } & Omit<Observation, 'name'> & { name?: string })
  | { does: 'forget'; a: string; b: string; kind: EvidenceKind }
  | { does: 'rule'; a: string; b: string; verdict: Ruling['verdict'] | 'withdrawn' };

export const keyOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
export const otherOf = ({ a, b }: LinkedPair, id: string): string => (a === id ? b : a);
export const typeOf = (id: string): string => id.replace(/\d+$/, '');

/** A tenant's evidence in memory, and the links that a resolver would have recorded on the way. */
export class World implements EvidenceReader {
  readonly known = new Map<string, IdentityFacts>();
  readonly evidence = new Map<string, Evidence>();
  readonly rulings = new Map<string, Ruling>();
  readonly links = new Map<string, LinkedPair>();
  readonly proposals = new Map<string, LinkedPair>();
  readonly gathered: string[][] = [];
  /** Of every identity that was ever divided. */
  private readonly eras = new Map<string, Set<string>>();

  constructor(readonly rules: IdentityRules) {}

  facts = (id: string) => this.known.get(id);
  evidenceOf = (id: string) => [...this.evidence.values()].filter(({ a, b }) => a === id || b === id);
  rulingsOf = (id: string) => [...this.rulings.values()].filter(({ a, b }) => a === id || b === id);
  neighbourCount = (id: string) => new Set(this.evidenceOf(id).map((item) => otherOf(item, id))).size;
  bearersOf = (name: string) =>
    [...this.known.values()].filter((facts) => bornNames(facts, this.rules).includes(name)).map(({ id }) => id);
  bearerCount = (name: string) => this.bearersOf(name).length;
  settledWith = (id: string) =>
    [...this.links.values(), ...this.proposals.values()]
      .filter(({ a, b }) => a === id || b === id)
      .map((pair) => otherOf(pair, id));

  wholeOf = (id: string) => (id.includes('~') ? id.slice(0, id.indexOf('~')) : undefined);
  formersOf = (id: string) => this.eras.get(id) ?? [];
  formerOf = (id: string, number: number) => `${id}~${number}`;

  /** Takes in one step and answers with the identities to gather from. */
  take(step: Step): Set<string> {
    const changedFacts: string[] = [];
    const observe = (id: string, seen: Observation): void => {
      const before = this.known.get(id) ?? {
        id,
        type: typeOf(id),
        linkable: typeOf(id) !== 'handle',
        verified: false,
        names: [],
      };
      const after = learn(before, seen, this.rules);
      if (after !== this.known.get(id)) changedFacts.push(id);
      this.known.set(id, after);
    };
    const seen = (name: string | undefined): Observation => {
      const key = nameKey(name ?? '');
      return key === undefined ? {} : { name: key };
    };
    switch (step.does) {
      case 'observe':
        observe(step.id, {
          ...seen(step.name),
          ...(step.birthDate !== undefined && { birthDate: step.birthDate }),
          ...(step.verified !== undefined && { verified: step.verified }),
          ...(step.ownDay !== undefined && { ownDay: step.ownDay }),
        });
        return touchedBy({ facts: changedFacts }, this);
      case 'rule':
        observe(step.a, {});
        observe(step.b, {});
        if (step.verdict === 'withdrawn') this.rulings.delete(keyOf(step.a, step.b));
        else this.rulings.set(keyOf(step.a, step.b), { a: step.a, b: step.b, verdict: step.verdict });
        return touchedBy({ rulings: [{ ...step, verdict: 'apart' }], facts: changedFacts }, this);
      case 'see':
      case 'forget':
        observe(step.a, step.does === 'see' ? seen(step.name) : {});
        observe(step.b, step.does === 'see' ? seen(step.name) : {});
        if (step.does === 'see') {
          const key = `${keyOf(step.a, step.b)} ${step.kind}`;
          const days = span(
            this.evidence.get(key)?.days,
            step.day === undefined ? undefined : { first: step.day, last: step.day },
          );
          this.evidence.set(key, { ...step, ...(days && { days }) });
        }
        if (step.does === 'forget') this.evidence.delete(`${keyOf(step.a, step.b)} ${step.kind}`);
        return touchedBy({ evidence: [step], facts: changedFacts }, this);
    }
  }

  /** What a resolver does with one event of the log. */
  follow(step: Step): void {
    const touched = this.take(step);
    const neighbourhood = gather(touched, this, this.rules);
    this.gathered.push([...neighbourhood.identities.keys()]);
    for (const [id, { former = [] }] of neighbourhood.identities)
      if (former.length > 0) this.eras.set(id, new Set([...this.formersOf(id), ...former.map((era) => era.id)]));
    const within = (pairs: Map<string, LinkedPair>) =>
      [...pairs.values()].filter(({ a, b }) => neighbourhood.identities.has(a) || neighbourhood.identities.has(b));
    const changes = changesTo(resolve(neighbourhood, this.rules), {
      links: within(this.links),
      proposals: within(this.proposals),
    });
    for (const pair of changes.link) this.links.set(keyOf(pair.a, pair.b), pair);
    for (const pair of changes.retract) this.links.delete(keyOf(pair.a, pair.b));
    for (const pair of changes.propose) this.proposals.set(keyOf(pair.a, pair.b), pair);
    for (const pair of changes.withdraw) this.proposals.delete(keyOf(pair.a, pair.b));
  }

  resolveAll(): Resolution {
    return resolve(gather(this.known.keys(), this, this.rules), this.rules);
  }
}

export const resolved = (steps: readonly Step[], rules: IdentityRules = DEFAULT_RULES): Resolution => {
  const world = new World(rules);
  for (const step of steps) world.take(step);
  return world.resolveAll();
};
export const followed = (steps: readonly Step[], rules: IdentityRules = DEFAULT_RULES): World => {
  const world = new World(rules);
  for (const step of steps) world.follow(step);
  return world;
};
export const pairs = (list: Iterable<LinkedPair>): string[] => [...list].map(({ a, b }) => keyOf(a, b)).toSorted();

export type Seeing = Extract<Step, { does: 'see' }>;

export const see = (a: string, b: string, name?: string, kind: EvidenceKind = 'same-interaction'): Seeing => ({
  does: 'see',
  a,
  b,
  kind,
  ...(name !== undefined && { name }),
});
export const imported = (profile: string, name: string, ...others: string[]): Step[] =>
  others.flatMap((other) => [see(profile, other, name, 'profile-import'), proven(other)]);
export const proven = (id: string): Step => ({ does: 'observe', id, verified: typeOf(id) === 'account' });

// Tight limits, so that hubs occur in small worlds.
export const tight: IdentityRules = {
  ...DEFAULT_RULES,
  maxNames: 2,
  sameName: { identities: 4, confidence: 0.5 },
  limits: {
    ...DEFAULT_RULES.limits,
    phone: { neighbours: 3, holders: 3 },
    cookie: { neighbours: 2, holders: 2 },
    account: { neighbours: 4, holders: 2 },
  },
};

/** Who is one customer by these links. */
export function customersOf(links: readonly LinkedPair[]): string[][] {
  const customers = new Map<string, Set<string>>();
  for (const { a, b } of links) {
    const joined = new Set([a, b, ...(customers.get(a) ?? []), ...(customers.get(b) ?? [])]);
    for (const member of joined) customers.set(member, joined);
  }
  return [...new Set(customers.values())].map((members) => [...members]);
}
