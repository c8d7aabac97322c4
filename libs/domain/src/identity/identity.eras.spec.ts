import { gather, type Neighbourhood } from './identity.gathering.js';
import { followed, pairs, resolved, see, type Seeing, type Step } from './evidence-world.contract.js';

const gatheredOf = (steps: readonly Step[]): Neighbourhood => {
  const world = followed(steps);
  return gather(world.known.keys(), world);
};

describe('a number that changes hands', () => {
  const on = (day: number, step: Seeing): Step => ({ ...step, day });
  const alone = (ownDay: number): Step => ({ does: 'observe', id: 'phone1', ownDay });
  const ana = [on(10, see('account1', 'phone1', 'Ana Paz')), on(30, see('account1', 'phone1', 'Ana Paz'))];
  const leo = [on(200, see('account2', 'phone1', 'Leo Mora'))];
  const linksOf = (steps: readonly Step[]) => pairs(followed(steps).links.values());
  const divided = ['account1 phone1~0', 'account2 phone1'];

  it('is the present holder’s, and was the former one’s until then, in whatever order they came', () => {
    expect(linksOf([...ana, ...leo])).toEqual(divided);
    expect(linksOf([...leo, ...ana])).toEqual(divided);
    const { identities } = gatheredOf([...leo, ...ana]);
    expect(identities.get('phone1')!.former).toEqual([{ id: 'phone1~0', until: 200 }]);
  });

  it('stays divided whenever its own contacts came', () => {
    expect(linksOf([...ana, alone(20), ...leo, alone(210)])).toEqual(divided);
  });

  it('keeps those together who were seen with it in one time', () => {
    const mail = on(15, see('email1', 'phone1'));
    expect(linksOf([...ana, mail, ...leo])).toEqual(['account1 phone1~0', 'account2 phone1', 'email1 phone1~0']);
  });

  it('has as many times as holders', () => {
    const eva = [on(400, see('account3', 'phone1', 'Eva Cruz'))];
    const three = ['account1 phone1~0', 'account2 phone1~1', 'account3 phone1'];
    expect(linksOf([...ana, ...leo, ...eva])).toEqual(three);
    expect(linksOf([...eva, ...leo, ...ana])).toEqual(three);
  });

  it('is one person’s again once both turn out to be one, and nobody’s once the two used it at one time', () => {
    const called = (id: string, name: string): Step => ({ does: 'observe', id, name });
    const nameless = [on(10, see('account1', 'phone1')), on(200, see('account2', 'phone1'))];
    const two = [...nameless, called('account1', 'Ana Paz'), called('account2', 'Leo Mora')];
    expect(linksOf(two)).toEqual(divided);
    expect(linksOf([...two, called('account2', 'Ana Paz')])).toEqual(['account1 phone1', 'account2 phone1']);
    expect(linksOf([...ana, ...leo, on(300, see('account1', 'phone1', 'Ana Paz'))])).toEqual([]);
    expect(linksOf([...ana, on(60, see('account2', 'phone1', 'Leo Mora'))])).toEqual([]);
  });

  it('is what an agent says of one time, and of that alone', () => {
    const rule = (a: string, b: string, verdict: 'together' | 'apart'): Step => ({ does: 'rule', a, b, verdict });
    expect(linksOf([...ana, ...leo, rule('account1', 'phone1~0', 'apart')])).toEqual(['account2 phone1']);
    expect(linksOf([...ana, ...leo, rule('account2', 'phone1', 'apart')])).toEqual(['account1 phone1~0']);
    const joined = followed([...ana, ...leo, rule('email9', 'phone1~0', 'together')]);
    expect(pairs(joined.links.values())).toEqual([...divided, 'email9 phone1~0'].toSorted());
    // It stands also where the times are told apart no more.
    joined.follow(on(60, see('account2', 'phone1', 'Leo Mora')));
    expect(pairs(joined.links.values())).toEqual(['email9 phone1~0']);
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
