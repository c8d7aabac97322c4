import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import { LinkingHub, contact, identifierOf, reason } from './linking-hub.js';
import { eventually } from './waiting.js';

jest.setTimeout(300_000);

const hub = new LinkingHub();
const { tell, link, retract, identitiesOf, seenAs } = hub;

describe('a supervisor', () => {
  it('merges two customers, traffic goes on, and the unmerge leaves a history in which the merge never was', async () => {
    const ana = 'email:ana.m@example.com';
    const ann = 'email:ann.m@example.com';
    const [first] = await tell([contact([ana], {}, 'Ana Mora')]);
    const [second] = await tell([contact([ann, 'loyalty:M-1'], { channel: 'store', kind: 'visit' }, 'Ann Morrow')]);
    const before = { ana: await seenAs(ana), ann: await seenAs(ann) };
    expect(before.ana.header.id).not.toBe(before.ann.header.id);

    const made = await link(ana, 'Loyalty: m-1');
    expect(made).toEqual({
      link: expect.any(String) as unknown,
      outcome: 'linked',
      position: expect.any(Number) as unknown,
    });
    const merged = await seenAs(ana);
    expect(merged.timeline).toEqual([first, second]);
    expect(merged.header).toMatchObject({
      id: before.ana.header.id,
      interactions: 2,
      channels: { email: 1, store: 1 },
    });
    // Every id of either leads to the one customer.
    const ids = [...before.ana.header.identities, ...before.ann.header.identities].map(({ id }) => id);
    for (const id of ids)
      expect((await hub.reader.mustGet<CustomerDto>(`/v1/customers/${id}`)).id).toBe(merged.header.id);

    // What arrives now is the one customer's, whichever identity it comes with.
    const [third] = await tell([contact([ann], {}, 'Ann Morrow')]);
    const [fourth] = await tell([contact([ana, 'phone:+34600222001'], {}, 'Ana Mora')]);
    expect((await seenAs('loyalty:M-1')).timeline).toEqual([first, second, third, fourth]);
    expect((await seenAs('phone:+34600222001')).timeline).toEqual([first, second, third, fourth]);

    expect(await retract(made.link)).toMatchObject({ link: made.link, outcome: 'retracted' });
    const after = { ana: await seenAs(ana), ann: await seenAs(ann) };
    expect(after.ana.timeline).toEqual([first, fourth]);
    expect(after.ann.timeline).toEqual([second, third]);
    expect(after.ana.header).toMatchObject({ id: before.ana.header.id, names: ['Ana Mora'], interactions: 2 });
    expect(after.ann.header).toMatchObject({ id: before.ann.header.id, names: ['Ann Morrow'], interactions: 2 });
    // Every id either ever had keeps answering.
    for (const { id } of [...after.ana.header.identities, ...after.ann.header.identities])
      expect((await hub.reader.get(`/v1/customers/${id}`)).status).toBe(200);

    // Saying it again changes nothing, and the rules leave the pair alone.
    expect((await retract(made.link)).outcome).toBe('unchanged');
    await tell([contact([ana, 'loyalty:M-1'], { kind: 'identify' })]);
    expect((await seenAs(ana)).header.id).not.toBe((await seenAs(ann)).header.id);
  });

  it('is heard by whoever watches one of the two', async () => {
    const [una, uma] = ['email:una@example.com', 'email:uma.w@example.com'];
    await tell([contact([una]), contact([uma])]);
    const [one, other] = [
      await hub.reader.stream((await seenAs(una)).header.id),
      await hub.reader.stream((await seenAs(uma)).header.id),
    ];
    const { link: id } = await link(una, uma);
    await eventually(() => expect([one.changes, other.changes]).toEqual([1, 1]));
    const [sent] = await tell([contact([uma])]);
    expect([(await one.next()).entry.id, (await other.next()).entry.id]).toEqual([sent, sent]);
    await retract(id);
    await eventually(() => expect([one.changes, other.changes]).toEqual([2, 2]));
    await one.close();
    await other.close();
  });

  it('retracts what a rule has linked, and the rules do not link it again', async () => {
    const both = ['email:rita@example.com', 'phone:+34600222002'];
    const [first] = await tell([contact(both)]);
    const one = await seenAs(both[0]!);
    expect(one.header.identities).toHaveLength(2);
    const { links } = await identitiesOf(one.header.id);
    expect(links).toMatchObject([
      { status: 'active', decisions: [{ decision: 'linked', rule: expect.stringMatching(/^rules-2\+[0-9a-f]{8}$/) as unknown, evidence: 'same-interaction', confidence: 0.873 }] },
    ]); // prettier-ignore
    await retract(links[0]!.id);
    const [second] = await tell([contact(both, { kind: 'identify' })]);
    expect((await seenAs(both[0]!)).timeline).toEqual([first, second]);
    const phone = await hub.reader.mustGet<CustomerDto>(
      `/v1/customers/${one.header.identities.find(({ type }) => type === 'phone')!.id}`,
    );
    expect(phone.identities).toHaveLength(1);

    const [kept] = (await identitiesOf(one.header.id)).links;
    const caller = kept!.decisions[1]!.agent;
    expect(hub.process.key('supervisor')).toContain(caller);
    expect(kept).toEqual({
      id: links[0]!.id,
      status: 'retracted',
      between: expect.arrayContaining([
        expect.objectContaining({ value: 'rita@example.com', customer: one.header.id }),
        expect.objectContaining({ value: '+34600222002', customer: phone.id }),
      ]) as unknown,
      decisions: [
        links[0]!.decisions[0],
        { decision: 'retracted', at: expect.any(String) as unknown, position: expect.any(Number) as unknown, agent: caller, reason },
      ],
    }); // prettier-ignore
    // The same from the other side, and by any id.
    expect((await identitiesOf(phone.id)).links).toEqual([kept]);
  });

  it('makes a rule’s link hold against the rules by saying it too', async () => {
    const shared = 'phone:+34600222003';
    const person = (account: string, name: string) => contact([`account:${account}`, shared], {}, name);
    await tell([person('P-1', 'Petra Lang')]);
    expect(await link('account:P-1', shared)).toMatchObject({ outcome: 'confirmed' });
    expect(await link('account:P-1', shared)).toMatchObject({ outcome: 'unchanged' });
    await tell([person('P-2', 'Kurt Lang')]);
    expect((await seenAs('account:P-1')).header.identities.map(({ value }) => value)).toEqual(['P-1', '+34600222003']);
    expect((await seenAs('account:P-2')).header.identities).toHaveLength(1);
  });

  it('links an anonymous contact to whoever it turns out to be', async () => {
    const [nobody] = await tell([contact(['phone:anonymous'], { channel: 'phone', kind: 'call' })]);
    const [known] = await tell([contact(['email:nora@example.com'])]);
    const { customer } = await hub.reader.interaction(nobody!);
    const { link: id } = await link(customer, 'email:nora@example.com');
    expect((await seenAs('email:nora@example.com')).timeline).toEqual([nobody, known]);
    await retract(id);
    expect((await seenAs('email:nora@example.com')).timeline).toEqual([known]);
    expect((await hub.reader.timeline(customer)).items.map((entry) => entry.id)).toEqual([nobody]);
  });
});

describe('the named cases', () => {
  it('6: B merged into A where A already lists B’s address: every conversation has an owner', async () => {
    const [a, b, address] = ['account:S-A', 'account:S-B', 'email:b.six@example.com'];
    const receipts = await tell([
      contact([a, address], { threadId: 'six-1' }, 'Alba Ruiz'),
      contact([address], { threadId: 'six-2' }),
      contact([b, address], { threadId: 'six-3' }, 'Berta Ruiz'),
      contact([b], { threadId: 'six-4', channel: 'chat' }, 'Berta Ruiz'),
    ]);
    await link(a, b);
    await link(b, address);
    const { header, timeline } = await seenAs(a);
    expect(timeline).toEqual(receipts);
    expect(header.identities.map(({ value }) => value).toSorted()).toEqual(['S-A', 'S-B', 'b.six@example.com']);
    for (const receipt of receipts) {
      const { conversation } = await hub.reader.interaction(receipt);
      expect((await hub.reader.conversation(conversation)).customers).toEqual([header.id]);
    }
  });

  it('7: a merge keeps names and addresses and doubles no count', async () => {
    const record = (n: number, name: string) => ({
      source: 'crm',
      externalId: `seven-${n}`,
      name,
      identifiers: [`account:SEVEN-${n}`, `email:seven.${n}@example.com`, `postal:${n} Elm Street`].map(identifierOf),
    });
    await tell([record(1, 'Greta Sand'), record(2, 'Greta Sand-Weber')], '/v1/profiles');
    await tell([
      contact(['account:SEVEN-1']),
      contact(['email:seven.1@example.com'], {}, 'G. Sand'),
      contact(['account:SEVEN-2'], { channel: 'chat' }),
      contact(['account:SEVEN-1', 'email:seven.1@example.com'], { channel: 'chat' }),
    ]);
    const [one, other] = [(await seenAs('account:SEVEN-1')).header, (await seenAs('account:SEVEN-2')).header];
    await link('account:SEVEN-1', 'account:SEVEN-2');
    // And once more over other identities of the same two: still nothing counts twice.
    await link('email:seven.1@example.com', 'email:seven.2@example.com');
    const { header, timeline } = await seenAs('account:SEVEN-2');
    const merged = (of: (customer: CustomerDto) => string[]): string[] => [...of(one), ...of(other)].toSorted();
    expect(header.names.toSorted()).toEqual(merged(({ names }) => names));
    expect(header.names).toEqual(expect.arrayContaining(['Greta Sand', 'Greta Sand-Weber', 'G. Sand']));
    const valuesOf = ({ identities }: CustomerDto) => identities.map(({ type, value }) => `${type}:${value}`);
    expect(valuesOf(header).toSorted()).toEqual(merged(valuesOf));
    expect(header.profiles).toHaveLength(2);
    expect(header).toMatchObject({ interactions: 4, channels: { email: 2, chat: 2 } });
    expect(new Set(timeline).size).toBe(4);
    expect(timeline).toHaveLength(4);
  });

  it('9: an event in flight while its customer is merged lands right, and right again after the undo', async () => {
    const [ana, ann] = ['email:nine.a@example.com', 'email:nine.b@example.com'];
    await tell([contact([ana]), contact([ann])]);
    let stop = false;
    const sent: Record<string, string[]> = { [ana]: [], [ann]: [] };
    const send = async (who: string): Promise<void> => {
      while (!stop) sent[who]!.push((await hub.sender.take(contact([who])))[0]!.receipt!);
    };
    const flying = [send(ana), send(ann)];
    let made = await link(ana, ann);
    await eventually(() => expect(Math.min(...Object.values(sent).map(({ length }) => length))).toBeGreaterThan(5));
    await retract(made.link);
    made = await link(ana, ann);
    await eventually(() => expect(Math.min(...Object.values(sent).map(({ length }) => length))).toBeGreaterThan(12));
    stop = true;
    await Promise.all(flying);
    await tell([contact([ana]), contact([ann])]);

    const everyIdOf = async (identifier: string): Promise<string[]> => {
      const { id } = (await hub.reader.customers(identifier))[0]!;
      const ids: string[] = [];
      for (let before: string | undefined; ;) {
        const { items, next } = await hub.reader.timeline(id, { limit: 100, before });
        ids.push(...items.map((entry) => entry.id));
        if (next === undefined) return ids;
        before = next;
      }
    };
    const merged = await everyIdOf(ana);
    expect(new Set(merged).size).toBe(merged.length);
    expect(merged).toHaveLength(sent[ana]!.length + sent[ann]!.length + 4);
    expect(await everyIdOf(ann)).toEqual(merged);

    await retract(made.link);
    for (const who of [ana, ann]) {
      const own = await everyIdOf(who);
      expect(own).toHaveLength(sent[who]!.length + 2);
      expect(own).toEqual(expect.arrayContaining(sent[who]!));
    }
  });
});
