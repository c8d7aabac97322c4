import type { LinkOutcomeDto } from '#libs/commands/links/links.dto.js';
import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { CustomerIdentitiesDto, LinkPreviewDto, LinkProposalPageDto } from '#libs/queries/links/links.dto.js';
import type { Answer, HubClient, Query } from './hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory, type Role } from './hub-process.js';
import { eventually } from './waiting.js';

jest.setTimeout(300_000);
afterAll(cleanUp);

const NOBODY = '00000000-0000-8000-8000-000000000000';
const reason = 'said so on the phone';
let serial = 0;

const identifierOf = (text: string) => {
  const [type, value] = text.split(/:(.*)/s, 2);
  return { type, value };
};

/** A contact of its own of whoever these identifiers name. */
const contact = (identifiers: string[], over: object = {}, name?: string): Record<string, unknown> => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `contact-${++serial}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2025, 2, 1, 0, 0, serial)).toISOString(),
  customer: { identifiers: identifiers.map(identifierOf), ...(name === undefined ? {} : { name }) },
  ...over,
});

let hub: HubProcess;
let sender: HubClient;
let reader: HubClient;
let supervisor: HubClient;

beforeAll(async () => {
  hub = await HubProcess.start({ dataDir: temporaryDirectory() });
  sender = await hub.client('integration');
  reader = await hub.client('agent');
  supervisor = await hub.client('supervisor');
});

afterAll(() => hub.stop());

/** Takes contacts or profiles, waits until the timelines show them and what follows, and answers with their receipts. */
const tell = async (items: object[], path?: string): Promise<string[]> => {
  const results = await sender.take(items, path);
  await reader.customers('email:nobody@example.com', Math.max(...results.map(({ position }) => position ?? 0)));
  return results.map(({ receipt }) => receipt!);
};

const must = <Body>({ status, text, body }: Answer<Body>): Body => {
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return body;
};

const post = async <Body>(path: string, body?: object): Promise<Body> =>
  must(await supervisor.post<Body>(path, body ?? ''));

/** A command, once the read model shows what it did. */
const ruled = async (path: string, body?: object): Promise<LinkOutcomeDto> => {
  const outcome = await post<LinkOutcomeDto>(path, body);
  await reader.customers('email:nobody@example.com', outcome.position);
  return outcome;
};
const link = (one: string, other: string) => ruled('/v1/links', { identities: [one, other], reason });
const retract = (id: string) => ruled(`/v1/links/${id}/retract`, { reason });
const preview = (of: object) => post<LinkPreviewDto>('/v1/links/preview', of);
const proposals = async (query: Query = {}) => reader.mustGet<LinkProposalPageDto>('/v1/link-proposals', query);
const identitiesOf = (customer: string, query: Query = {}) =>
  reader.mustGet<CustomerIdentitiesDto>(`/v1/customers/${customer}/identities`, query);

/** Everything agents see of a customer: header and timeline, oldest first. */
const seenAs = async (identifier: string): Promise<{ header: CustomerDto; timeline: string[] }> => {
  const [header] = await reader.customers(identifier);
  const { items } = await reader.timeline(header!.id, { limit: 100 });
  return { header: header!, timeline: items.map(({ id }) => id).toReversed() };
};

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
    for (const id of ids) expect((await reader.mustGet<CustomerDto>(`/v1/customers/${id}`)).id).toBe(merged.header.id);

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
      expect((await reader.get(`/v1/customers/${id}`)).status).toBe(200);

    // Saying it again changes nothing, and the rules leave the pair alone.
    expect((await retract(made.link)).outcome).toBe('unchanged');
    await tell([contact([ana, 'loyalty:M-1'], { kind: 'identify' })]);
    expect((await seenAs(ana)).header.id).not.toBe((await seenAs(ann)).header.id);
  });

  it('is heard by whoever watches one of the two', async () => {
    const [una, uma] = ['email:una@example.com', 'email:uma.w@example.com'];
    await tell([contact([una]), contact([uma])]);
    const [one, other] = [
      await reader.stream((await seenAs(una)).header.id),
      await reader.stream((await seenAs(uma)).header.id),
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
    const phone = await reader.mustGet<CustomerDto>(
      `/v1/customers/${one.header.identities.find(({ type }) => type === 'phone')!.id}`,
    );
    expect(phone.identities).toHaveLength(1);

    const [kept] = (await identitiesOf(one.header.id)).links;
    const caller = kept!.decisions[1]!.agent;
    expect(hub.key('supervisor')).toContain(caller);
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
    const { customer } = await reader.interaction(nobody!);
    const { link: id } = await link(customer, 'email:nora@example.com');
    expect((await seenAs('email:nora@example.com')).timeline).toEqual([nobody, known]);
    await retract(id);
    expect((await seenAs('email:nora@example.com')).timeline).toEqual([known]);
    expect((await reader.timeline(customer)).items.map((entry) => entry.id)).toEqual([nobody]);
  });
});

describe('a preview', () => {
  const profile = (externalId: string, identifiers: string[], over: object = {}) => ({
    source: 'crm',
    externalId,
    identifiers: identifiers.map(identifierOf),
    ...over,
  });
  const headersOf = (...identifiers: string[]) =>
    Promise.all(identifiers.map(async (identifier) => (await seenAs(identifier)).header));

  it('of a link and of its retraction shows what then happens, and what speaks against it', async () => {
    await tell(
      [
        profile('pv-1', ['account:V-1', 'email:vera.v@example.com'], {
          givenName: 'Vera', familyName: 'Voss', birthDate: '1980-02-01', consents: { marketing: true, sms: true },
        }),
        profile('pv-2', ['account:V-2', 'email:v.voss@example.com'], {
          givenName: 'Veronika', familyName: 'Voss', birthDate: '1981-02-01', consents: { marketing: false, sms: true },
        }),
      ],
      '/v1/profiles',
    ); // prettier-ignore
    await tell([
      contact(['email:vera.v@example.com']),
      contact(['account:V-2'], { channel: 'chat' }),
      contact(['email:v.voss@example.com']),
    ]);
    const pair = ['email:vera.v@example.com', 'account:V-2'] as const;
    const seen = await preview({ link: pair });
    expect(seen).toMatchObject({ action: 'link', changes: true, heldBy: [] });
    expect(seen.before).toEqual(await headersOf(...pair));
    expect(seen.conflicts).toEqual([
      { kind: 'verified-accounts', one: ['V-1'], other: ['V-2'] },
      { kind: 'birth-dates', one: ['1980-02-01'], other: ['1981-02-01'] },
      { kind: 'consents', about: 'marketing', one: ['granted'], other: ['denied'] },
    ]);
    // Nothing has happened.
    expect(await headersOf(...pair)).toEqual(seen.before);

    const made = await link(...pair);
    expect(made.link).toBe(seen.link);
    expect(await headersOf(...pair)).toEqual([seen.after[0], seen.after[0]]);
    expect(seen.after[0]).toMatchObject({ interactions: 3, channels: { email: 2, chat: 1 } });
    expect(await preview({ link: pair })).toMatchObject({ changes: false, heldBy: [made.link], after: seen.after });

    const undone = await preview({ retract: made.link });
    expect(undone).toMatchObject({ action: 'retract', link: made.link, changes: true, conflicts: seen.conflicts.map(({ kind }) => ({ kind })) });
    expect(undone.before).toEqual(seen.after);
    expect(undone.after.toSorted(byId)).toEqual(seen.before.toSorted(byId));
    await retract(made.link);
    expect(await headersOf(...pair)).toEqual(seen.before);

    // Whoever would link them again sees who has parted them and why.
    const again = await preview({ link: pair });
    expect(again.conflicts[0]).toMatchObject({ kind: 'ruled-apart', about: reason });
    const closed = await preview({ retract: made.link });
    expect(closed.changes).toBe(false);
    expect(closed.after.toSorted(byId)).toEqual(again.before.toSorted(byId));
  }); // prettier-ignore

  it('of a retraction says which other links hold the two together', async () => {
    const three = ['email:hold@example.com', 'phone:+34600222010', 'loyalty:H-1'];
    await tell([contact(three), contact(three.slice(0, 2)), contact(three.slice(1))]);
    const { header } = await seenAs(three[0]!);
    const { links } = await identitiesOf(header.id);
    const direct = links.find(({ between }) => between.every(({ type }) => type !== 'loyalty'))!;
    const seen = await preview({ retract: direct.id });
    expect(seen).toMatchObject({ changes: false, before: [header], after: [header], conflicts: [] });
    expect(seen.heldBy.toSorted()).toEqual(links.map(({ id }) => id).filter((id) => id !== direct.id).toSorted());
    await retract(direct.id);
    expect((await seenAs(three[0]!)).header).toEqual(header);
  }); // prettier-ignore

  it('and a command say which field is wrong and what is allowed', async () => {
    const wrong = async (path: string, body: object, paths: string[]) => {
      const answer = await supervisor.post(path, body);
      expect(answer.body).toMatchObject({ status: 422, code: 'LINK.INVALID' });
      expect(answer.body.errors!.map((error) => error.path)).toEqual(paths);
      for (const { allowed } of answer.body.errors!) expect(allowed).toBeTruthy();
    };
    const known = 'email:vera.v@example.com';
    await wrong('/v1/links', {}, ['$.identities', '$.reason']);
    await wrong('/v1/links', { identities: [known], reason }, ['$.identities']);
    await wrong('/v1/links', { identities: [known, known], reason }, ['$.identities']);
    await wrong('/v1/links', { identities: ['email:never@example.com', NOBODY], reason }, ['$.identities[0]', '$.identities[1]']);
    await wrong('/v1/links', { identities: [known, 'nonsense'], reason, tenant: 'x' }, ['$.tenant']);
    await wrong('/v1/links/preview', {}, ['$']);
    await wrong('/v1/links/preview', { link: [known, known], retract: NOBODY }, ['$']);
    await wrong('/v1/links/preview', { link: [known, known] }, ['$.link']);
    await wrong('/v1/links/preview', { link: [known, 'phone:anonymous'] }, ['$.link[1]']);
    await wrong(`/v1/links/${NOBODY}/retract`, {}, ['$.reason']);
    await wrong(`/v1/link-proposals/${NOBODY}/reject`, { because: 'x' }, ['$.because']);
    expect((await supervisor.post('/v1/links', '{')).body).toMatchObject({ status: 400, code: 'REQUEST.NOT_JSON' });
  }); // prettier-ignore
});

const byId = (one: { id: string }, other: { id: string }): number => (one.id < other.id ? -1 : 1);

describe('proposals', () => {
  const account = (value: string) => ({ type: 'account', value, verified: true });
  const call = (value: string, phone: string) => ({
    ...contact([], { channel: 'phone', kind: 'call' }),
    customer: { identifiers: [account(value), identifierOf(phone)] },
  });
  const openOn = async (phone: string) =>
    (await proposals({ limit: 100 })).items.filter(({ between }) =>
      between.some(({ value }) => `phone:${value}` === phone),
    );

  it('say what the rules dare not decide, on what evidence and why, newest first and page by page', async () => {
    const phone = 'phone:+34600222021';
    await tell([call('D-1', phone), call('D-2', phone)]);
    const open = await openOn(phone);
    expect(open).toHaveLength(2);
    expect(open[0]).toEqual({
      id: expect.any(String) as unknown,
      proposedAt: expect.stringMatching(/^20\d\d-.*Z$/) as unknown,
      position: expect.any(Number) as unknown,
      evidence: 'same-interaction',
      confidence: 0.873,
      reason: 'conflicting-accounts',
      rule: expect.stringMatching(/^rules-2\+[0-9a-f]{8}$/) as unknown,
      between: expect.arrayContaining([expect.objectContaining({ type: 'phone', value: '+34600222021' })]) as unknown,
    });
    const all = (await proposals({ limit: 100 })).items;
    expect(all.map(({ position }) => position)).toEqual(all.map(({ position }) => position).toSorted((a, b) => b - a));
    const page = await proposals({ limit: 1 });
    const rest = await proposals({ limit: 1, before: page.next });
    expect([...page.items, ...rest.items]).toEqual(all.slice(0, 2));
    expect((await proposals({ limit: 1, after: rest.previous })).items).toEqual(page.items);
  });

  it('are confirmed and rejected for good', async () => {
    const phone = 'phone:+34600222022';
    await tell([call('E-1', phone), call('E-2', phone)]);
    const open = await openOn(phone);
    const of = (value: string) => open.find(({ between }) => between.some((end) => end.value === value))!.id;
    expect(await ruled(`/v1/link-proposals/${of('E-1')}/confirm`)).toMatchObject({ outcome: 'confirmed', link: of('E-1') });
    expect(await ruled(`/v1/link-proposals/${of('E-2')}/reject`, { reason })).toMatchObject({ outcome: 'rejected' });
    expect((await seenAs('account:E-1')).header.identities.map(({ value }) => value)).toEqual(['E-1', '+34600222022']);
    // Neither the same evidence nor more of it opens them again.
    await tell([call('E-2', phone), { ...call('E-2', phone), kind: 'identify' }, call('E-1', phone)]);
    expect(await openOn(phone)).toEqual([]);
    expect((await seenAs('account:E-2')).header.identities).toHaveLength(1);

    const { links } = await identitiesOf((await seenAs('account:E-2')).header.id);
    expect(links).toMatchObject([
      { status: 'rejected', decisions: [{ decision: 'proposed', reason: 'conflicting-accounts' }, { decision: 'rejected', reason }] },
    ]); // prettier-ignore
    // Saying it again changes nothing; the opposite is another command.
    expect(await ruled(`/v1/link-proposals/${of('E-2')}/reject`)).toMatchObject({ outcome: 'unchanged' });
    for (const path of [`link-proposals/${of('E-2')}/confirm`, `link-proposals/${of('E-1')}/reject`])
      expect((await supervisor.post(`/v1/${path}`, '')).body).toMatchObject({ status: 409, code: 'LINK.CONFLICT' });
    await retract(of('E-1'));
    expect((await seenAs('account:E-1')).header.identities).toHaveLength(1);
  }); // prettier-ignore
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
      const { conversation } = await reader.interaction(receipt);
      expect((await reader.conversation(conversation)).customers).toEqual([header.id]);
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
      while (!stop) sent[who]!.push((await sender.take(contact([who])))[0]!.receipt!);
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
      const { id } = (await reader.customers(identifier))[0]!;
      const ids: string[] = [];
      for (let before: string | undefined; ;) {
        const { items, next } = await reader.timeline(id, { limit: 100, before });
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

describe('who may link', () => {
  const commands = ['/v1/links', `/v1/links/${NOBODY}/retract`, '/v1/links/preview', `/v1/link-proposals/${NOBODY}/confirm`, `/v1/link-proposals/${NOBODY}/reject`]; // prettier-ignore

  it.each<[Role, { commands: boolean; proposals: boolean; identities: boolean }]>([
    ['integration', { commands: false, proposals: false, identities: false }],
    ['agent', { commands: false, proposals: true, identities: true }],
    ['supervisor', { commands: true, proposals: true, identities: true }],
    ['analyst', { commands: false, proposals: false, identities: true }],
    ['admin', { commands: true, proposals: true, identities: true }],
  ])('as %s', async (role, may) => {
    const client = await hub.client(role);
    for (const path of commands) {
      const { status } = await client.post(path, {});
      expect([path, status !== 403]).toEqual([path, may.commands]);
    }
    expect((await client.get('/v1/link-proposals')).status).toBe(may.proposals ? 200 : 403);
    expect((await client.get(`/v1/customers/${NOBODY}/identities`)).status).toBe(may.identities ? 404 : 403);
  });

  it('nobody without a key', async () => {
    const anyone = await hub.client({ key: undefined });
    for (const path of commands) expect((await anyone.post(path, {})).status).toBe(401);
    expect((await anyone.get('/v1/link-proposals')).status).toBe(401);
  });

  it('nobody over another tenant’s customers, whose ids answer as ids that never were', async () => {
    const made = await hilo(hub.dataDir, 'keys', 'create', '--tenant', 'other', '--role', 'admin');
    const stranger = await hub.client({ key: made.stdout.trim() });
    await tell([contact(['email:ours@example.com', 'phone:+34600222031'])]);
    const [taken] = await stranger.take(contact(['email:theirs@example.com']));
    const { header } = await seenAs('email:ours@example.com');
    const [ours] = (await identitiesOf(header.id)).links;
    await stranger.customers('email:theirs@example.com', taken!.position);

    const blank = ({ status, text }: Answer<unknown>, id: string) =>
      `${status} ${text.replaceAll(/"instance":"[^"]*"/g, '').replaceAll(id, '?')}`;
    const expectUnknown = async (ask: (id: string) => Promise<Answer<unknown>>, id: string, status: number) => {
      const [foreign, unknown] = [await ask(id), await ask(NOBODY)];
      expect(foreign.status).toBe(status);
      expect(blank(foreign, id)).toBe(blank(unknown, NOBODY));
    };
    const identities = (id: string) => ['email:theirs@example.com', id];
    await expectUnknown((id) => stranger.post('/v1/links', { identities: identities(id), reason }), header.id, 422);
    await expectUnknown((id) => stranger.post('/v1/links/preview', { link: identities(id) }), header.id, 422);
    await expectUnknown((id) => stranger.post('/v1/links/preview', { retract: id }), ours!.id, 404);
    await expectUnknown((id) => stranger.post(`/v1/links/${id}/retract`, { reason }), ours!.id, 404);
    await expectUnknown((id) => stranger.post(`/v1/link-proposals/${id}/confirm`, {}), ours!.id, 404);
    await expectUnknown((id) => stranger.post(`/v1/link-proposals/${id}/reject`, {}), ours!.id, 404);
    await expectUnknown((id) => stranger.get(`/v1/customers/${id}/identities`), header.id, 404);
    expect(must(await stranger.get<LinkProposalPageDto>('/v1/link-proposals')).items).toEqual([]);
    expect((await seenAs('email:ours@example.com')).header).toEqual(header);
  });

  it('as the API page says', async () => {
    const { paths } = (await reader.get<{ paths: object }>('/docs/openapi.json')).body;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/v1/links',
        '/v1/links/{id}/retract',
        '/v1/links/preview',
        '/v1/link-proposals',
        '/v1/link-proposals/{id}/confirm',
        '/v1/link-proposals/{id}/reject',
        '/v1/customers/{id}/identities',
      ]),
    );
  });
});
