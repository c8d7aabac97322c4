import fc from 'fast-check';
import { span } from './identity.eras.js';
import type { Evidence, EvidenceKind, EvidenceReader, LinkedPair, Ruling } from './identity.evidence.js';
import { bornNames, learn, type IdentityFacts, type Observation } from './identity.facts.js';
import { gather, touchedBy } from './identity.gathering.js';
import { changesTo, resolve, type Resolution, type ResolvedProposal } from './identity.resolution.js';
import { DEFAULT_RULES, type IdentityRules } from './identity.rules.js';
import { areDifferentPeople, nameKey } from './person-name.js';

type Step =
  | ({ does: 'see'; a: string; b: string; kind: EvidenceKind; day?: number } & { name?: string })
  | ({ does: 'observe'; id: string } & Omit<Observation, 'name'> & { name?: string })
  | { does: 'forget'; a: string; b: string; kind: EvidenceKind }
  | { does: 'rule'; a: string; b: string; verdict: Ruling['verdict'] | 'withdrawn' };

const keyOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
const otherOf = ({ a, b }: LinkedPair, id: string): string => (a === id ? b : a);
const typeOf = (id: string): string => id.replace(/\d+$/, '');

/** A tenant's evidence in memory, and the links that a resolver would have recorded on the way. */
class World implements EvidenceReader {
  readonly known = new Map<string, IdentityFacts>();
  readonly evidence = new Map<string, Evidence>();
  readonly rulings = new Map<string, Ruling>();
  readonly links = new Map<string, LinkedPair>();
  readonly proposals = new Map<string, LinkedPair>();
  readonly gathered: string[][] = [];

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

const resolved = (steps: readonly Step[], rules: IdentityRules = DEFAULT_RULES): Resolution => {
  const world = new World(rules);
  for (const step of steps) world.take(step);
  return world.resolveAll();
};
const followed = (steps: readonly Step[], rules: IdentityRules = DEFAULT_RULES): World => {
  const world = new World(rules);
  for (const step of steps) world.follow(step);
  return world;
};
const pairs = (list: Iterable<LinkedPair>): string[] => [...list].map(({ a, b }) => keyOf(a, b)).toSorted();

type Seeing = Extract<Step, { does: 'see' }>;

const see = (a: string, b: string, name?: string, kind: EvidenceKind = 'same-interaction'): Seeing => ({
  does: 'see',
  a,
  b,
  kind,
  ...(name !== undefined && { name }),
});
const imported = (profile: string, name: string, ...others: string[]): Step[] =>
  others.flatMap((other) => [see(profile, other, name, 'profile-import'), proven(other)]);
const proven = (id: string): Step => ({ does: 'observe', id, verified: typeOf(id) === 'account' });

// Tight limits, so that hubs occur in small worlds.
const tight: IdentityRules = {
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

describe('linking by evidence', () => {
  it('links what was seen together, with the strongest evidence', () => {
    const { links } = resolved([see('account1', 'phone1'), see('phone1', 'account1', undefined, 'identify')]);
    expect(links).toMatchObject([{ a: 'account1', b: 'phone1', evidence: 'identify' }]);
  });

  it('links duplicate profiles of one person over a shared mailbox', () => {
    const steps = [
      ...imported('profile1', 'Ana Paz', 'email1', 'account1'),
      ...imported('profile2', 'PAZ, A.', 'email1', 'account2'),
    ];
    expect(resolved(steps)).toMatchObject({ links: { length: 4 }, proposals: [] });
  });

  it('never links over a weak identity', () => {
    expect(resolved([see('handle1', 'social1'), see('handle1', 'social2')])).toEqual({ links: [], proposals: [] });
  });

  it('never links by name alone', () => {
    expect(resolved([see('email1', 'phone1', 'Ana Paz'), see('email2', 'phone2', 'Ana Paz')]).links).toHaveLength(2);
  });
});

describe('shared identities', () => {
  const household = [
    ...imported('profile1', 'Ana Paz', 'phone1', 'email1'),
    ...imported('profile2', 'Leo Paz', 'phone1', 'email2'),
  ];

  it('link nobody once two people turn out to stand behind them', () => {
    expect(pairs(resolved(household).links)).toEqual(['email1 profile1', 'email2 profile2']);
  });

  it('lose the links they had', () => {
    const world = followed(household.slice(0, 2));
    expect(pairs(world.links.values())).toContain('phone1 profile1');
    for (const step of household) world.follow(step);
    expect(pairs(world.links.values())).toEqual(['email1 profile1', 'email2 profile2']);
  });

  it('show by the names that were seen with them', () => {
    const orders = [see('email1', 'phone1', 'Ana Paz'), see('email2', 'phone1', 'Leo Mora')];
    expect(resolved(orders)).toEqual({ links: [], proposals: [] });
  });

  it('show by birth dates where father and son bear one name', () => {
    const born = (id: string, birthDate: string): Step => ({ does: 'observe', id, birthDate });
    const steps = [...imported('profile1', 'Leo Paz', 'phone1'), ...imported('profile2', 'Leo Paz', 'phone1')];
    expect(resolved(steps).links).toHaveLength(2);
    expect(resolved([...steps, born('profile1', '1960-01-02'), born('profile2', '1990-03-04')]).links).toEqual([]);
  });

  it('tell nothing by names when too many were seen', () => {
    const names = Array.from({ length: 17 }, (_, index) => `${String.fromCodePoint(97 + index).repeat(3)} Paz`);
    const steps = names.map((name): Step => ({ does: 'observe', id: 'account1', name }));
    expect(resolved([...steps, see('account1', 'account2'), see('account1', 'phone1')]).links).toHaveLength(2);
  });

  it('link nobody above their limit of neighbours', () => {
    const steps = Array.from({ length: 26 }, (_, index) => see('cookie1', `email${index}`));
    expect(resolved(steps.slice(1)).links).toHaveLength(25);
    expect(resolved(steps).links).toEqual([]);
  });
});

describe('conflicting accounts', () => {
  const calls = [see('account1', 'phone1'), see('account2', 'phone1'), proven('account1'), proven('account2')];

  it('are proposed while nothing says whether one person holds both', () => {
    expect(resolved(calls)).toMatchObject({
      links: [],
      proposals: [
        { a: 'account1', b: 'phone1', reason: 'conflicting-accounts' },
        { a: 'account2', b: 'phone1', reason: 'conflicting-accounts' },
      ],
    });
  });

  it('are linked when the names agree, and neither linked nor proposed when they differ', () => {
    const named = (id: string, name: string): Step => ({ does: 'observe', id, name });
    const agreeing = followed([...calls, named('account1', 'Ana Paz'), named('account2', 'A. Paz')]);
    expect(agreeing.links.size).toBe(2);
    expect(agreeing.proposals.size).toBe(0);
    const differing = followed([...calls, named('account1', 'Ana Paz'), named('account2', 'Leo Paz')]);
    expect(differing.links.size).toBe(0);
    expect(differing.proposals.size).toBe(0);
  });

  it('stay apart at the weakest link of a chain, which is proposed', () => {
    const chain = [
      ...imported('profile1', 'Ana Paz', 'account1', 'email1'),
      ...imported('profile2', 'Leo Paz', 'account2', 'email2'),
      see('cookie1', 'email1', undefined, 'identify'),
      see('cookie1', 'email2'),
    ];
    const { links, proposals } = resolved(chain);
    expect(pairs(links)).toContain('cookie1 email1');
    expect(proposals).toMatchObject([{ a: 'cookie1', b: 'email2', reason: 'conflicting-accounts' }]);
  });
});

describe('rulings of agents', () => {
  const rule = (a: string, b: string, verdict: 'together' | 'apart' | 'withdrawn'): Step => ({
    does: 'rule',
    a,
    b,
    verdict,
  });

  it('link what the rules would not', () => {
    expect(resolved([rule('handle1', 'email1', 'together')]).links).toMatchObject([
      { evidence: 'agent', confidence: 1 },
    ]);
  });

  it('keep the rules from linking a pair', () => {
    expect(resolved([see('email1', 'phone1'), rule('email1', 'phone1', 'apart')])).toEqual({
      links: [],
      proposals: [],
    });
  });

  it('join two customers whole, whatever the rules think of their holders', () => {
    const two = [
      ...imported('profile1', 'Ana Paz', 'account1', 'email1'),
      ...imported('profile2', 'Leo Paz', 'account2', 'email2'),
    ];
    const { links, proposals } = resolved([...two, rule('account1', 'account2', 'together')]);
    expect(customersOf(links)).toHaveLength(1);
    expect(pairs(links)).toEqual([...pairs(resolved(two).links), 'account1 account2'].toSorted());
    expect(proposals).toEqual([]);
  });

  it('accept a proposal without costing the other side what it has', () => {
    const shared = [
      ...imported('profile1', 'Ana Paz', 'account1', 'email1'),
      ...imported('profile2', 'Leo Paz', 'account2', 'email2'),
      see('cookie1', 'email1', undefined, 'identify'),
      see('cookie1', 'email2'),
    ];
    expect(resolved(shared).proposals).toMatchObject([{ a: 'cookie1', b: 'email2', evidence: 'same-interaction' }]);
    const { links, proposals } = resolved([...shared, rule('cookie1', 'email2', 'together')]);
    expect(pairs(links)).toEqual([...pairs(resolved(shared).links), 'cookie1 email2'].toSorted());
    expect(proposals).toEqual([]);
  });

  it('leave no trace once withdrawn', () => {
    const steps = [see('email1', 'phone1'), rule('email1', 'phone1', 'apart'), rule('email1', 'phone1', 'withdrawn')];
    expect(pairs(followed(steps).links.values())).toEqual(['email1 phone1']);
  });
});

describe('namesakes', () => {
  const rule = (a: string, b: string, verdict: 'together' | 'apart'): Step => ({ does: 'rule', a, b, verdict });
  const chat = see('email1', 'cookie1', 'Ana Paz');
  const order = see('phone2', 'email2', 'PAZ, Ana');
  const profile = imported('profile1', 'Ana M. Paz', 'account1');

  it('are proposed once for two customers, by the pair that says most, and never linked', () => {
    const { links, proposals } = resolved([chat, order, ...profile]);
    expect(pairs(links)).toEqual(['account1 profile1', 'cookie1 email1', 'email2 phone2']);
    expect(proposals).toEqual([
      { a: 'email1', b: 'email2', evidence: 'same-name', reason: 'same-name', confidence: 0.5 },
      { a: 'email1', b: 'profile1', evidence: 'same-name', reason: 'same-name', confidence: 0.5 },
      { a: 'email2', b: 'profile1', evidence: 'same-name', reason: 'same-name', confidence: 0.5 },
    ]);
  });

  it('are no proposal when the name is common, when only an initial is known, or when birth dates differ', () => {
    const bearing = Array.from({ length: 13 }, (_, index): Step => ({
      does: 'observe',
      id: `email${index}`,
      name: 'Ana Paz',
    }));
    expect(resolved(bearing.slice(1)).proposals).toHaveLength((12 * 11) / 2);
    expect(resolved(bearing).proposals).toEqual([]);
    expect(resolved([chat, see('phone2', 'email2', 'A. Paz')]).proposals).toEqual([]);
    const born = (id: string, birthDate: string): Step => ({ does: 'observe', id, birthDate });
    const father = imported('profile1', 'Leo Paz', 'email1');
    const son = imported('profile2', 'Leo Paz', 'email2');
    expect(resolved([...father, ...son]).proposals).toHaveLength(1);
    const dates = [born('profile1', '1960-01-02'), born('profile2', '1990-03-04')];
    expect(resolved([...father, ...son, ...dates]).proposals).toEqual([]);
  });

  it('are settled for good by what an agent says of any pair of them', () => {
    const parted = followed([chat, order, rule('email1', 'phone2', 'apart')]);
    expect(parted.proposals.size).toBe(0);
    parted.follow(see('email1', 'account3', 'Ana Paz'));
    expect(parted.proposals.size).toBe(0);
    const joined = followed([chat, order, rule('email1', 'email2', 'together')]);
    expect(pairs(joined.links.values())).toEqual(['cookie1 email1', 'email1 email2', 'email2 phone2']);
    expect(joined.proposals.size).toBe(0);
  });

  it('are no longer proposed once evidence links them or the name turns out to be common', () => {
    const world = followed([chat, order]);
    expect(world.proposals.size).toBe(1);
    world.follow(see('cookie1', 'phone2'));
    expect(world.proposals.size).toBe(0);
    const rules = { ...DEFAULT_RULES, sameName: { identities: 4, confidence: 0.5 } };
    const crowded = followed([chat, order], rules);
    expect(crowded.proposals.size).toBe(1);
    crowded.follow(see('email3', 'social3', 'Ana Paz'));
    expect(crowded.proposals.size).toBe(0);
  });

  it('are not asked for where the rules say so', () => {
    const rules = { ...DEFAULT_RULES, sameName: { identities: 0, confidence: 0.5 } };
    expect(resolved([chat, order], rules).proposals).toEqual([]);
  });
});

describe('gathering', () => {
  it('stops at a landline that is known to be shared', () => {
    const world = followed([
      ...imported('profile1', 'Ana Paz', 'phone1', 'email1'),
      ...imported('profile2', 'Leo Paz', 'phone1', 'email2'),
      see('email1', 'cookie1'),
    ]);
    expect(world.gathered.at(-1)?.toSorted()).toEqual(['cookie1', 'email1', 'phone1', 'profile1']);
  });

  it('reaches what a new hub held together', () => {
    const steps: Step[] = [
      see('account1', 'phone1'),
      see('email1', 'phone1'),
      see('email2', 'phone1'),
      { does: 'observe', id: 'account1', name: 'Ana Paz', verified: true },
      see('account2', 'cookie1'),
      see('cookie1', 'email1'),
      { does: 'observe', id: 'account2', name: 'Leo Paz', verified: true },
    ];
    const world = followed(steps, tight);
    expect(world.proposals.size).toBe(1);
    world.follow(see('email3', 'phone1'));
    expect(pairs(world.links.values())).toEqual(['account2 cookie1', 'cookie1 email1']);
    expect(world.proposals.size).toBe(0);
  });

  it('reaches the neighbours of a hub that has learned a name', () => {
    const steps: Step[] = ['phone1', 'phone2', 'email1', 'email2', 'email3'].map((other) => see('account2', other));
    const world = followed([...steps, see('account1', 'phone1', 'Ana Paz')], tight);
    expect(pairs(world.links.values())).toEqual(['account1 phone1']);
    world.follow({ does: 'observe', id: 'account2', name: 'Leo Mora' });
    expect(world.links.size).toBe(0);
  });

  it('does not read the evidence of a hub', () => {
    const world = followed(Array.from({ length: 30 }, (_, index) => see('cookie1', `email${index}`)));
    const read: string[] = [];
    const watched: EvidenceReader = {
      facts: world.facts,
      neighbourCount: world.neighbourCount,
      rulingsOf: world.rulingsOf,
      bearersOf: world.bearersOf,
      bearerCount: world.bearerCount,
      settledWith: world.settledWith,
      evidenceOf: (id) => {
        read.push(id);
        return world.evidenceOf(id);
      },
    };
    gather(['cookie1', 'email3'], watched);
    expect(new Set(read)).toEqual(new Set(['email3']));
  });
});

describe('a number that changes hands', () => {
  const on = (day: number, step: Seeing): Step => ({ ...step, day });
  const alone = (ownDay: number): Step => ({ does: 'observe', id: 'phone1', ownDay });
  const ana = [on(10, see('account1', 'phone1', 'Ana Paz')), on(30, see('account1', 'phone1', 'Ana Paz'))];
  const leo = [on(200, see('account2', 'phone1', 'Leo Mora'))];
  const linksOf = (steps: readonly Step[]) => pairs(followed(steps).links.values());

  it('stays with whom its own contacts came from, or is the new holder’s', () => {
    expect(linksOf([...ana, ...leo])).toEqual(['account2 phone1']);
    expect(linksOf([...ana, alone(20), ...leo])).toEqual(['account1 phone1']);
    expect(linksOf([...ana, alone(150), ...leo])).toEqual(['account1 phone1']);
    expect(linksOf([...leo, alone(210), ...ana])).toEqual(['account2 phone1']);
  });

  it('is nobody’s where its own contacts came in both times, or where the two used it at one time', () => {
    expect(linksOf([...ana, alone(20), ...leo, alone(210)])).toEqual([]);
    expect(linksOf([...ana, on(60, see('account2', 'phone1', 'Leo Mora'))])).toEqual([]);
    expect(linksOf([...ana, ...leo, on(300, see('account1', 'phone1', 'Ana Paz')), alone(210)])).toEqual([]);
  });

  it('is nobody’s where two records claim it, or where nobody knows when a name came with it', () => {
    const records = [on(10, see('profile1', 'phone1', 'Ana Paz')), on(200, see('profile2', 'phone1', 'Leo Mora'))];
    expect(linksOf(records)).toEqual([]);
    expect(linksOf([...ana, see('account2', 'phone1', 'Leo Mora')])).toEqual([]);
    expect(linksOf([...ana, ...leo, { does: 'observe', id: 'phone1', name: 'Eva Cruz' }])).toEqual([]);
  });

  it('is one person’s however long that person was silent', () => {
    expect(linksOf([...ana, on(900, see('account1', 'phone1', 'A. Paz')), alone(500)])).toEqual(['account1 phone1']);
  });
});

it('a cookie says nothing of visits long after anybody was seen with it', () => {
  const known: Seeing = { ...see('account1', 'cookie1'), day: 10 };
  const visit = (ownDay: number): Step => ({ does: 'observe', id: 'cookie1', ownDay });
  expect(resolved([known, visit(405)]).links).toHaveLength(1);
  expect(resolved([known, visit(406)]).links).toEqual([]);
  expect(resolved([known, visit(406), { ...known, day: 300 }]).links).toHaveLength(1);
});

describe('any history', () => {
  const id = fc
    .tuple(fc.constantFrom('account', 'profile', 'phone', 'email', 'cookie', 'handle'), fc.integer({ min: 1, max: 3 }))
    .map(([type, number]) => `${type}${number}`);
  const twoIds = fc.tuple(id, id).filter(([a, b]) => a !== b);
  const kind = fc.constantFrom<EvidenceKind>('same-interaction', 'identify', 'profile-import', 'same-mailbox');
  const name = fc.constantFrom('Ana Paz', 'A. Paz', 'Leo Paz', 'Mora, Eva', 'Ana Mora');
  const aDay = fc.constantFrom(0, 5, 60, 65, 120, 500);
  const seeing = fc
    .tuple(twoIds, kind, fc.option(name, { nil: undefined, freq: 2 }), fc.option(aDay, { nil: undefined }))
    .map(([[a, b], how, who, day]): Step => ({ ...see(a, b, who, how), ...(day !== undefined && { day }) }));
  const observing = fc.oneof(
    fc.tuple(id, name).map(([who, called]): Step => ({ does: 'observe', id: who, name: called })),
    id.map((who): Step => ({ does: 'observe', id: who, verified: true })),
    fc.tuple(id, aDay).map(([who, ownDay]): Step => ({ does: 'observe', id: who, ownDay })),
    fc
      .tuple(fc.constantFrom('profile1', 'profile2', 'profile3'), fc.constantFrom('1960-01-02', '1990-03-04'))
      .map(([who, birthDate]): Step => ({ does: 'observe', id: who, birthDate })),
  );
  const learning = fc.oneof({ weight: 3, arbitrary: seeing }, { weight: 2, arbitrary: observing });
  const unlearning = fc.oneof(
    fc.tuple(twoIds, kind).map(([[a, b], how]): Step => ({ does: 'forget', a, b, kind: how })),
    fc
      .tuple(twoIds, fc.constantFrom('together' as const, 'apart' as const, 'withdrawn' as const))
      .map(([[a, b], verdict]): Step => ({ does: 'rule', a, b, verdict })),
  );
  const history = fc.array(learning, { minLength: 5, maxLength: 40 });
  const eventful = fc.array(fc.oneof({ weight: 5, arbitrary: learning }, { weight: 2, arbitrary: unlearning }), {
    minLength: 5,
    maxLength: 50,
  });
  const runs = { numRuns: 500 };

  it('gives the same links in any order of arrival', () => {
    fc.assert(
      fc.property(
        history.chain((steps) => fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps, { minLength: steps.length }))),
        ([steps, shuffled]) => {
          expect(resolved(shuffled, tight)).toEqual(resolved(steps, tight));
        },
      ),
      runs,
    );
  });

  it('gives the same links followed event by event as resolved at once, with corrections and rulings in between', () => {
    fc.assert(
      fc.property(eventful, (steps) => {
        const world = followed(steps, tight);
        const atOnce = world.resolveAll();
        expect(pairs(world.links.values())).toEqual(pairs(atOnce.links));
        expect(pairs(world.proposals.values())).toEqual(pairs(atOnce.proposals));
      }),
      runs,
    );
  });

  it('does with a ruling what it says of its own pair, and nothing else but to answer who its namesakes are', () => {
    fc.assert(
      fc.property(eventful, (steps) => {
        const world = new World(tight);
        for (const step of steps) world.take(step);
        const ruled = world.resolveAll();
        const rulings = [...world.rulings.values()];
        world.rulings.clear();
        const free = world.resolveAll();
        const isRuled = ({ a, b }: LinkedPair) => rulings.some((ruling) => keyOf(ruling.a, ruling.b) === keyOf(a, b));
        const together = rulings.filter(({ verdict }) => verdict === 'together');
        expect(pairs(ruled.links)).toEqual(pairs([...free.links.filter((pair) => !isRuled(pair)), ...together]));
        const [asked, others] = [ruled, free].map(({ proposals }) => proposals.filter((pair) => !isRuled(pair)));
        const isEvident = ({ reason }: ResolvedProposal) => reason !== 'same-name';
        expect(asked!.filter(isEvident)).toEqual(others!.filter(isEvident));
      }),
      runs,
    );
  });

  it('never puts verified accounts of different or unrelated people into one customer by rule', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const world = new World(tight);
        for (const step of steps) world.take(step);
        for (const members of customersOf(world.resolveAll().links)) {
          const accounts = members
            .map(world.facts)
            .filter((facts) => facts !== undefined)
            .filter(({ type, verified }) => type === 'account' && verified);
          for (const one of accounts) {
            for (const other of accounts) {
              if (one === other) continue;
              const told = [one, other].every(({ names }) => names.length > 0 && names.length <= tight.maxNames);
              expect(told).toBe(true);
              expect(one.names.some((a) => other.names.some((b) => !areDifferentPeople(a, b)))).toBe(true);
            }
          }
        }
      }),
      runs,
    );
  });

  it('never lets a weak identity into a link or a proposal by rule', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { links, proposals } = resolved(steps, tight);
        expect([...links, ...proposals].flatMap(({ a, b }) => [typeOf(a), typeOf(b)])).not.toContain('handle');
      }),
      runs,
    );
  });
});

function customersOf(links: readonly LinkedPair[]): string[][] {
  const customers = new Map<string, Set<string>>();
  for (const { a, b } of links) {
    const joined = new Set([a, b, ...(customers.get(a) ?? []), ...(customers.get(b) ?? [])]);
    for (const member of joined) customers.set(member, joined);
  }
  return [...new Set(customers.values())].map((members) => [...members]);
}
