import type { StatementOutcomeDto } from '#libs/commands/consents/consents.dto.js';
import type { LinkOutcomeDto } from '#libs/commands/links/links.dto.js';
import type { AccessLogDto } from '#libs/queries/access-log/get-access-log.handler.js';
import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { LinkPreviewDto } from '#libs/queries/links/links.dto.js';
import type { Answer, HubClient } from './hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory } from './hub-process.js';
import { eventually } from './waiting.js';

jest.setTimeout(300_000);
afterAll(cleanUp);

const NOBODY = '00000000-0000-8000-8000-000000000000';
const evidence = 'said so on the phone';
let serial = 0;
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

const shown = (position: number) => agent.customers('email:nobody@example.com', position);

/** Contacts of whoever this address belongs to. */
const tell = async (email: string, ...channels: string[]): Promise<CustomerDto> => {
  const contacts = channels.map((channel) => ({
    channel,
    account: 'care@acme.example',
    externalId: `contact-${++serial}`,
    kind: 'message',
    occurredAt: new Date(Date.UTC(2025, 2, 1, 0, 0, serial)).toISOString(),
    customer: { identifiers: [{ type: 'email', value: email }] },
    text: `contact ${serial} on ${channel}`,
  }));
  const results = await sender.take(contacts);
  return agent.customer(`email:${email}`, Math.max(...results.map(({ position }) => position ?? 0)));
};

const must = <Body>({ status, text, body }: Answer<Body>): Body => {
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return body;
};

const say = async (what: 'consents' | 'preferences', id: string, said: object, by = agent) => {
  const outcome = must(await by.post<StatementOutcomeDto>(`/v1/customers/${id}/${what}`, said));
  await shown(outcome.position);
  return outcome;
};
const consent = (id: string, granted: boolean, over: object = {}, by = agent) =>
  say('consents', id, { purpose: 'marketing', granted, evidence, ...over }, by);

const header = (id: string, query = {}) => agent.mustGet<CustomerDto>(`/v1/customers/${id}`, query);
const answers = ({ consents }: CustomerDto) =>
  consents.map(({ purpose, channel = 'all', granted }) => `${purpose} ${channel} ${granted ? 'yes' : 'no'}`);

const ruled = async (path: string, body: object): Promise<string> => {
  const { link, position } = must(await supervisor.post<LinkOutcomeDto>(path, body));
  await shown(position);
  return link;
};

describe('consents', () => {
  it('stand in the header with who said so, how, when and until when; the same again changes nothing', async () => {
    const { id, consents } = await tell('carla@example.com', 'email');
    expect(consents).toEqual([]);
    const until = '2100-01-01T00:00:00+01:00';
    const recorded = await consent(id, true, { channel: 'sms', until });
    const { position } = recorded;
    expect(recorded).toEqual({ identity: id, outcome: 'recorded', position: expect.any(Number) as unknown });
    const again = await consent(id, true, { channel: 'sms', until });
    expect(again).toEqual({ identity: id, outcome: 'unchanged', position });
    const [shownConsent] = (await header(id)).consents;
    expect(shownConsent).toEqual({
      purpose: 'marketing',
      channel: 'sms',
      granted: true,
      statedAt: expect.stringMatching(/Z$/) as unknown,
      until: '2099-12-31T23:00:00.000Z',
      source: 'stated',
      identity: id,
      by: expect.any(String) as unknown,
      evidence,
    });
    expect(hub.key('agent')).toContain(shownConsent!.by);

    // An opt-out page knows the address and no id.
    await consent('email:CARLA@example.com', false, { evidence: 'clicked unsubscribe' }, sender);
    expect(answers(await header(id))).toEqual(['marketing all no']);
    // The past is as it was.
    expect(answers(await header(id, { asOfPosition: position }))).toEqual(['marketing sms yes']);
    expect(answers(await header(id, { asOfPosition: position - 1 }))).toEqual([]);
  });

  it('end when they were said to end', async () => {
    const { id } = await tell('till@example.com', 'email');
    const until = new Date(Date.now() + 1500).toISOString();
    const { position } = await consent(id, true, { until });
    await eventually(async () => expect(answers(await header(id))).toEqual([]));
    expect(answers(await header(id, { asOfPosition: position }))).toEqual(['marketing all yes']);
  });

  it('of two customers: a denial wins while they are linked, the preview says so, and each has its own afterwards', async () => {
    const [yes, no] = [await tell('yes@example.com', 'email'), await tell('no@example.com', 'chat')];
    await consent(yes.id, true);
    await consent(yes.id, true, { purpose: 'surveys' });
    await consent(no.id, false);
    const pair = ['email:yes@example.com', 'email:no@example.com'];
    const seen = must(await supervisor.post<LinkPreviewDto>('/v1/links/preview', { link: pair }));
    expect(seen.before.map(answers)).toEqual([['marketing all yes', 'surveys all yes'], ['marketing all no']]);
    expect(seen.after.map(answers)).toEqual([['marketing all no', 'surveys all yes']]);
    expect(seen.conflicts).toEqual([{ kind: 'consents', about: 'marketing', one: ['granted'], other: ['denied'] }]);

    const link = await ruled('/v1/links', { identities: pair, reason: 'one person' });
    const joined = await header(yes.id);
    expect(answers(joined)).toEqual(['marketing all no', 'surveys all yes']);
    expect(joined.consents[0]!.identity).toBe(no.id);
    // Only whoever has denied may grant again.
    await consent(yes.id, true, { evidence: 'signed it' });
    expect(answers(await header(yes.id))).toEqual(['marketing all no', 'surveys all yes']);

    await ruled(`/v1/links/${link}/retract`, { reason: 'two people' });
    expect(answers(await header(yes.id))).toEqual(['marketing all yes', 'surveys all yes']);
    expect(answers(await header(no.id))).toEqual(['marketing all no']);
  });

  it('of imported records count beside what people say, and a record imported again takes nothing back', async () => {
    const importRecord = async (tier: string, consents: object) => {
      const record = { source: 'crm', externalId: 'C-1', identifiers: [{ type: 'email', value: 'rec@example.com' }], consents, attributes: { tier } }; // prettier-ignore
      const [result] = await sender.take([record], '/v1/profiles');
      return agent.customer('email:rec@example.com', result!.position);
    };
    const { id, consents, identities } = await importRecord('gold', { marketing: true, sms: false });
    expect(consents.map(({ purpose, granted, source }) => [purpose, granted, source])).toEqual([
      ['marketing', true, 'profile'],
      ['sms', false, 'profile'],
    ]);
    expect(identities.map(({ id: identity }) => identity)).toContain(consents[0]!.identity);
    for (const { id: identity } of identities) await consent(identity, false);
    expect(answers(await importRecord('platinum', { marketing: true, sms: true }))).toEqual(['marketing all no', 'sms all yes']); // prettier-ignore
    expect((await header(id)).profiles[0]!.consents).toEqual({ marketing: true, sms: true });
  });

  it('and preferences are refused field by field', async () => {
    const { id } = await tell('wrong@example.com', 'email');
    const wrong = async (what: string, body: object, code: string, paths: string[]) => {
      const answer = await agent.post(`/v1/customers/${id}/${what}`, body);
      expect(answer.body).toMatchObject({ status: 422, code });
      expect(answer.body.errors!.map(({ path }) => path)).toEqual(paths);
      for (const { allowed } of answer.body.errors!) expect(allowed).toBeTruthy();
    };
    await wrong('consents', {}, 'CONSENT.INVALID', ['$.purpose', '$.granted', '$.evidence']);
    const odd = { purpose: 'Über Werbung', channel: 'E-Mail', granted: 'no', evidence: ' ', until: '2001-01-01T00:00:00Z' }; // prettier-ignore
    await wrong('consents', odd, 'CONSENT.INVALID', Object.keys(odd).map((name) => `$.${name}`)); // prettier-ignore
    await wrong('consents', { purpose: 'a', granted: true, evidence, by: 'me' }, 'CONSENT.INVALID', ['$.by']);
    await wrong('preferences', { purpose: '' }, 'PREFERENCE.INVALID', ['$.channel', '$.purpose']);
    for (const unknown of [NOBODY, 'email:never@example.com', 'nonsense'])
      expect((await agent.post(`/v1/customers/${unknown}/preferences`, { channel: 'sms' })).status).toBe(404);
    expect((await header(id)).consents).toEqual([]);
  });
});

describe('the preferred channel', () => {
  it('is the stated one, else the one most contacts came by', async () => {
    const { id, ...seen } = await tell('pia@example.com', 'chat', 'chat', 'email');
    expect(seen).toMatchObject({ preferredChannel: 'chat', preferredChannelSource: 'observed', preferences: [] });
    await say('preferences', id, { channel: 'whatsapp', evidence });
    await say('preferences', id, { channel: 'sms', purpose: 'order-updates' });
    const stated = await header(id);
    expect(stated).toMatchObject({ preferredChannel: 'whatsapp', preferredChannelSource: 'stated' });
    expect(stated.preferences).toMatchObject([
      { channel: 'whatsapp', evidence, identity: id },
      { channel: 'sms', purpose: 'order-updates' },
    ]);
    await say('preferences', id, { channel: 'whatsapp', withdrawn: true });
    expect(await header(id)).toMatchObject({ preferredChannel: 'chat', preferredChannelSource: 'observed' });
  });
});

describe('everything about a person', () => {
  interface Document {
    generatedAt: string;
    customer: CustomerDto;
    interactions: { id: string; revisions: { text: string }[]; receipt: { receipt: string } }[];
    consents: { granted: boolean; evidence: string }[];
    preferences: object[];
    accessLog: { saw?: string[] }[];
  }

  it('comes as one document to a supervisor, is complete, and stands in the access log', async () => {
    const { id } = await tell('docu@example.com', ...Array.from({ length: 900 }, (_, n) => (n % 2 ? 'email' : 'chat')));
    await consent(id, true);
    const { position } = await consent(id, false);
    await say('preferences', id, { channel: 'email' });
    const answer = await supervisor.get<Document>(`/v1/customers/${id}/data`, { atLeast: position });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="customer-${id}.json"`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { customer, interactions, consents, preferences } = answer.body;
    expect(customer).toMatchObject({ id, interactions: 900, preferredChannel: 'email' });
    expect(consents.map(({ granted, evidence: how }) => [granted, how])).toEqual([[true, evidence], [false, evidence]]); // prettier-ignore
    expect(preferences).toMatchObject([{ channel: 'email' }]);

    const pages: string[] = [];
    for (let before: string | undefined; ;) {
      const page = await agent.timeline(id, { limit: 100, before });
      pages.push(...page.items.map((entry) => entry.id));
      if (page.next === undefined) break;
      before = page.next;
    }
    expect(interactions.map((contact) => contact.id)).toEqual(pages);
    for (const contact of interactions) {
      expect(contact.revisions).toHaveLength(1);
      expect(contact.receipt.receipt).toBe(contact.id);
    }
    const texts = new Set(interactions.map(({ revisions }) => revisions[0]!.text));
    expect(texts.size).toBe(900);

    await eventually(async () => {
      const { items } = await supervisor.mustGet<AccessLogDto>(`/v1/customers/${id}/access-log`);
      expect(items.flatMap(({ saw = [] }) => saw)).toContain('data');
    });
    expect((await agent.get(`/v1/customers/${id}/data`)).status).toBe(403);
    expect((await supervisor.get(`/v1/customers/${NOBODY}/data`)).status).toBe(404);
  });

  it('is harmless to leave half way', async () => {
    const { id } = await agent.customer('email:docu@example.com');
    const leave = new AbortController();
    const answer = await fetch(`${await hub.url()}/v1/customers/${id}/data`, {
      headers: { authorization: `Bearer ${hub.key('supervisor')}` },
      signal: leave.signal,
    });
    await answer.body!.getReader().read();
    leave.abort();
    expect(await header(id)).toMatchObject({ id, interactions: 900 });
    expect(hub.isRunning).toBe(true);
  });
});

it('a rebuild gives the same answers', async () => {
  const before = await Promise.all(['carla@example.com', 'no@example.com', 'rec@example.com', 'pia@example.com'].map((email) => agent.customer(`email:${email}`))); // prettier-ignore
  await hub.stop();
  const { code, stderr } = await hilo(hub.dataDir, 'rebuild');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  hub = await HubProcess.start({ dataDir: hub.dataDir });
  agent = await hub.client('agent');
  const after = await Promise.all(['carla@example.com', 'no@example.com', 'rec@example.com', 'pia@example.com'].map((email) => agent.customer(`email:${email}`))); // prettier-ignore
  expect(after).toEqual(before);
});
