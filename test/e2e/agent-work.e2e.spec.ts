import type { WrittenDownDto } from '#libs/commands/agent-work/agent-work.dto.js';
import type { LinkOutcomeDto } from '#libs/commands/links/links.dto.js';
import type { ConversationDto } from '#libs/queries/conversations/get-conversation.handler.js';
import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { LinkPreviewDto } from '#libs/queries/links/links.dto.js';
import type { Answer, HubClient, Query } from './hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory } from './hub-process.js';

jest.setTimeout(300_000);
afterAll(cleanUp);

let serial = 0;
const contact = (email: string, over: object = {}): object => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `contact-${++serial}`,
  kind: 'message',
  direction: 'inbound',
  occurredAt: new Date(Date.UTC(2025, 2, 1, 0, 0, serial)).toISOString(),
  customer: { identifiers: [{ type: 'email', value: email }] },
  text: `said in contact ${serial}`,
  ...over,
});

let hub: HubProcess;
let sender: HubClient;
let agent: HubClient;
let supervisor: HubClient;

beforeAll(async () => {
  hub = await HubProcess.start({ dataDir: temporaryDirectory() });
  sender = await hub.client('integration');
  agent = await hub.client('agent');
  supervisor = await hub.client('supervisor');
});

afterAll(() => hub.stop());

/** Waits until the timelines show a position. */
const shown = (position: number) => agent.customers('email:nobody@example.com', position);

/** Takes a contact, and answers with it and the conversation it begins. */
const begin = async (email: string, over?: object): Promise<{ id: string; conversation: string; customer: string }> => {
  const [result] = await sender.take([contact(email, over)]);
  await shown(result!.position!);
  return agent.interaction(result!.receipt!);
};

const must = <Body>({ status, text, body }: Answer<Body>): Body => {
  if (status > 201) throw new Error(`answered ${status}: ${text}`);
  return body;
};

/** Writes something down as an agent, once the timelines show it. */
const write = async (path: string, body: object = {}, headers = {}): Promise<WrittenDownDto> => {
  const written = must(await agent.post<WrittenDownDto>(path, body, 'application/json', headers));
  await shown(written.position);
  return written;
};
const note = (conversation: string, text: string, headers = {}) =>
  write(`/v1/conversations/${conversation}/notes`, { text }, headers);
const commit = (conversation: string, text: string, dueAt?: string) =>
  write(`/v1/conversations/${conversation}/commitments`, { text, ...(dueAt && { dueAt }) });

const rule = async (path: string, body: object): Promise<LinkOutcomeDto> => {
  const outcome = must(await supervisor.post<LinkOutcomeDto>(path, body));
  await shown(outcome.position);
  return outcome;
};
const preview = async (of: object) => must(await supervisor.post<LinkPreviewDto>('/v1/links/preview', of));

const headerOf = (id: string, query: Query = {}) => agent.mustGet<CustomerDto>(`/v1/customers/${id}`, query);
const idsOn = async (customer: string, query: Query = {}) =>
  (await agent.timeline(customer, query)).items.map(({ id }) => id).toSorted();
const idsIn = async (conversation: string) =>
  (await agent.mustGet<ConversationDto>(`/v1/conversations/${conversation}`)).items.map(({ id }) => id).toSorted();

describe('what agents write down at a conversation', () => {
  it('stands in the conversation and on the timeline, and counts as no contact', async () => {
    const mail = await begin('ida@example.com');
    const before = await headerOf(mail.customer);
    expect(before).toMatchObject({ commitments: [], openCommitments: 0 });
    const { id: noted } = await note(mail.conversation, '  Prefers\n to be called.  ');
    const { id: promised } = await commit(mail.conversation, 'Call back with the date', '2026-03-02T10:00:00+01:00');
    const { id: someday } = await commit(mail.conversation, 'Send the catalogue');
    const { items } = await agent.timeline(mail.customer, { include: 'body' });
    const common = { conversation: mail.conversation, channel: 'email', account: 'care@acme.example', direction: 'internal', corrected: false, late: false }; // prettier-ignore
    expect(items).toMatchObject([
      { id: someday, ...common, kind: 'commitment', outcome: 'open', body: { text: 'Send the catalogue' } },
      { id: promised, ...common, kind: 'commitment', outcome: 'open', preview: 'Call back with the date', body: { dueAt: '2026-03-02T09:00:00.000Z' } },
      { id: noted, ...common, kind: 'note', preview: 'Prefers to be called.', body: { text: 'Prefers\n to be called.' } },
      { id: mail.id, kind: 'message' },
    ]); // prettier-ignore
    expect(hub.key('agent')).toContain(items[0]!.agent);
    const conversation = await agent.conversation(mail.conversation, { include: 'body' });
    expect(conversation).toMatchObject({ customers: [mail.customer], items });
    for (const [kind, ids] of [['note', [noted]], ['commitment,note', [noted, promised, someday]], ['message', [mail.id]]] as const)
      expect(await idsOn(mail.customer, { kind })).toEqual([...ids].toSorted()); // prettier-ignore

    const { commitments, openCommitments, ...rest } = await headerOf(mail.customer);
    expect({ ...rest, commitments: [], openCommitments: 0 }).toEqual(before);
    expect(openCommitments).toBe(2);
    const by = { conversation: mail.conversation, agent: items[0]!.agent, madeAt: expect.any(String) as unknown };
    expect(commitments).toEqual([
      { id: promised, ...by, text: 'Call back with the date', dueAt: '2026-03-02T09:00:00.000Z' },
      { id: someday, ...by, text: 'Send the catalogue' },
    ]);
    expect(await hilo(hub.dataDir, 'reconcile')).toMatchObject({ code: 0 });
  });

  it('goes with its conversation when customers are joined and parted', async () => {
    const [eve, eva] = [await begin('eve@example.com'), await begin('eva@example.com', { channel: 'chat' })];
    const ofEve = [eve.id, (await note(eve.conversation, 'speaks Danish')).id].toSorted();
    const promisedToEva = await commit(eva.conversation, 'refund');
    const ofEva = [eva.id, promisedToEva.id].toSorted();

    const pair = ['email:eve@example.com', 'email:eva@example.com'];
    const seen = await preview({ link: pair });
    expect(seen.before.map(({ commitments }) => commitments.map(({ text }) => text))).toEqual([[], ['refund']]);
    expect(seen.after).toMatchObject([{ interactions: 2, channels: { email: 1, chat: 1 }, openCommitments: 1 }]);
    const { link } = await rule('/v1/links', { identities: pair, reason: 'one person' });
    expect(await headerOf(eve.customer)).toEqual(seen.after[0]);
    expect(await idsOn(eve.customer)).toEqual([...ofEve, ...ofEva].toSorted());
    expect(await idsIn(eva.conversation)).toEqual(ofEva);

    // What is written while they are one goes where its conversation goes.
    const later = await commit(eve.conversation, 'call on Friday');
    ofEve.push(later.id);
    const before = await preview({ retract: link });
    expect(before.before).toMatchObject([{ openCommitments: 2 }]);
    const texts = ({ commitments }: CustomerDto) => commitments.map(({ text }) => text);
    expect(before.after.map(texts)).toEqual(expect.arrayContaining([['call on Friday'], ['refund']]));
    await rule(`/v1/links/${link}/retract`, { reason: 'two people' });
    for (const { id, customer } of [eve, eva]) {
      const header = await headerOf(customer);
      expect(before.after).toContainEqual(header);
      expect(header).toMatchObject({ interactions: 1, openCommitments: 1, commitments: [{ text: id === eve.id ? 'call on Friday' : 'refund' }] }); // prettier-ignore
    }
    expect(await idsOn(eve.customer)).toEqual(ofEve.toSorted());
    expect(await idsOn(eva.customer)).toEqual(ofEva);
  });

  it('goes with the newest contact where a conversation has several people, or nobody known', async () => {
    const threadId = 'two-people';
    const first = await begin('one.of@example.com', { threadId });
    const second = await begin('two.of@example.com', { threadId });
    const { id } = await note(first.conversation, 'the two share an order');
    expect(second.conversation).toBe(first.conversation);
    expect(await idsOn(first.customer)).toEqual([first.id]);
    expect(await idsOn(second.customer)).toEqual([second.id, id].toSorted());
    expect((await agent.conversation(first.conversation)).customers).toHaveLength(2);

    const withheld = {
      channel: 'phone',
      kind: 'call',
      customer: { identifiers: [{ type: 'phone', value: 'anonymous' }] },
    };
    const nobody = await begin('', withheld);
    const promised = await commit(nobody.conversation, 'will call again');
    expect(await idsOn(nobody.customer)).toEqual([nobody.id, promised.id].toSorted());
    expect(await headerOf(nobody.customer)).toMatchObject({ interactions: 1, openCommitments: 1 });
  });

  it('ends as it ended, and was open before', async () => {
    const { conversation, customer } = await begin('per@example.com');
    const [kept, withdrawn] = [await commit(conversation, 'send the form'), await commit(conversation, 'call')];
    const stream = await agent.stream(customer);
    const end = (id: string, how: 'keep' | 'withdraw', body = {}) => agent.post(`/v1/commitments/${id}/${how}`, body);
    const { position } = await write(`/v1/commitments/${kept.id}/keep`);
    await write(`/v1/commitments/${withdrawn.id}/withdraw`, { reason: 'he found it himself' });
    const [one, other] = await stream.nextOf(2);
    await stream.close();
    expect([one!.entry, other!.entry]).toMatchObject([
      { id: kept.id, outcome: 'kept', corrected: false },
      { id: withdrawn.id, outcome: 'withdrawn' },
    ]);
    expect(await headerOf(customer)).toMatchObject({ commitments: [], openCommitments: 0 });
    const outcomes = async (query: Query) =>
      Object.fromEntries((await agent.timeline(customer, { kind: 'commitment', ...query })).items.map(({ id, outcome }) => [id, outcome])); // prettier-ignore
    expect(await outcomes({})).toEqual({ [kept.id]: 'kept', [withdrawn.id]: 'withdrawn' });
    const body = (await agent.timeline(customer, { kind: 'commitment', include: 'body' })).items[0]!.body;
    expect(body).toEqual({ text: 'call', reason: 'he found it himself' });
    expect(await outcomes({ asOfPosition: position })).toEqual({ [kept.id]: 'kept', [withdrawn.id]: 'open' });
    expect(await outcomes({ asOfPosition: kept.position })).toEqual({ [kept.id]: 'open' });
    const then = await headerOf(customer, { asOfPosition: position });
    expect(then).toMatchObject({ commitments: [{ id: withdrawn.id }], openCommitments: 1, interactions: 1 });

    // Again is nothing new; the other way is too late.
    expect(await end(kept.id, 'keep')).toMatchObject({ status: 200, body: { id: kept.id, position } });
    expect(await end(withdrawn.id, 'keep')).toMatchObject({ status: 409, body: { code: 'COMMITMENT.CONFLICT' } });
  });

  it('is taken once, however often the same request arrives', async () => {
    const { conversation, customer } = await begin('twice@example.com');
    const key = { 'idempotency-key': 'click-1' };
    const [one, other] = await Promise.all([1, 2].map(() => note(conversation, 'once', key)));
    expect(one).toEqual(other);
    expect(await idsOn(customer, { kind: 'note' })).toEqual([one!.id]);
    const conflict = await agent.post(`/v1/conversations/${conversation}/notes`, { text: 'other' }, undefined, key);
    expect(conflict).toMatchObject({ status: 409, body: { code: 'NOTE.CONFLICT' } });
    // Another agent's clicks are others.
    const path = `/v1/conversations/${conversation}/notes`;
    const third = must(await supervisor.post<WrittenDownDto>(path, { text: 'once' }, undefined, key));
    expect(third.id).not.toBe(one!.id);
  });

  it('is found in the history by customer and channel, and masked for who lacks pii', async () => {
    const { conversation, customer } = await begin('hist@example.com');
    await note(conversation, 'knows the manager');
    const analyst = await hub.client('analyst');
    const lines = async (client: HubClient, query: Query) =>
      (await client.get('/v1/history/events', { customer, types: 'NoteAdded', ...query })).text.trim();
    const found = JSON.parse(await lines(await hub.client('admin'), { channels: 'email' })) as { data: object };
    expect(found.data).toMatchObject({ conversation, channel: 'email', text: 'knows the manager' });
    expect(await lines(analyst, { channels: 'phone' })).toBe('');
    const masked = await lines(analyst, {});
    expect(masked).toContain(conversation);
    expect(masked).not.toContain('manager');
    for (const path of [`/v1/customers/${customer}`, `/v1/customers/${customer}/timeline?include=body`])
      expect((await analyst.get(path)).text).not.toContain('manager');
  });

  it('is refused with the field that is wrong', async () => {
    const { conversation } = await begin('odd@example.com');
    const wrong = async (path: string, body: object, at: string, headers = {}) => {
      const answer = await agent.post(path, body, 'application/json', headers);
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: at }] } });
      expect(answer.body.errors![0]!.allowed).toBeTruthy();
    };
    const [notes, commitments] = ['notes', 'commitments'].map((what) => `/v1/conversations/${conversation}/${what}`);
    await wrong(notes!, {}, '$.text');
    await wrong(notes!, { text: 'x'.repeat(10_001) }, '$.text');
    await wrong(notes!, { text: 'x', dueAt: '2026-03-02T09:15:00Z' }, '$.dueAt');
    await wrong(notes!, { text: 'x' }, 'idempotency-key', { 'idempotency-key': 'a b' });
    await wrong(commitments!, { text: 'x', dueAt: 'tomorrow' }, '$.dueAt');
    const nobody = '00000000-0000-8000-8000-000000000000';
    for (const path of [`/v1/conversations/${nobody}/notes`, `/v1/commitments/${nobody}/keep`])
      expect(await agent.post(path, path.endsWith('notes') ? { text: 'x' } : {})).toMatchObject({ status: 404 });
    const posted = await sender.post('/v1/interactions', contact('odd@example.com', { kind: 'note' }));
    expect(posted.status).toBe(422);
  });
});
