import { customersOf, followed, imported, pairs, proven, resolved, see, type Step } from './evidence-world.contract.js';
import { DEFAULT_RULES } from './identity.rules.js';

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
