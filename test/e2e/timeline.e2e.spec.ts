import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ProblemDetails } from '#libs/access/problem.js';
import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import type { TimelineEntryDto, TimelinePageDto } from '#libs/queries/timeline/timeline.dto.js';
import type { HubClient, Query } from './hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory, type Role } from './hub-process.js';
import { randomOf, seedOf } from './random.js';
import { eventually } from './waiting.js';

jest.setTimeout(300_000);
afterAll(cleanUp);

const NOBODY = '00000000-0000-8000-8000-000000000000';
const DAY_MS = 86_400_000;
/** Long enough ago to be late, whenever the test runs. */
const at = (day: number, ms = 0): string => new Date(Date.UTC(2025, 2, 1) + day * DAY_MS + ms).toISOString();

let serial = 0;

/** A contact of its own, unless told otherwise. */
const contact = (over: object = {}): Record<string, unknown> => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `contact-${++serial}`,
  kind: 'message',
  occurredAt: at(0, serial),
  ...over,
});

const from = (...identifiers: string[]): object => ({
  customer: {
    identifiers: identifiers.map((text) => {
      const [type, value] = text.split(/:(.*)/s, 2);
      return { type, value };
    }),
  },
});

const idsOf = (page: { items: readonly { id: string }[] }): string[] => page.items.map(({ id }) => id);

const expectProblem = (answer: { status: number; headers: Headers; body: unknown }, status: number, code: string) => {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: { status, code } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
};

describe('a hub and those who work with it', () => {
  let hub: HubProcess;
  let sender: HubClient;
  let reader: HubClient;

  beforeAll(async () => {
    hub = await HubProcess.start({ dataDir: temporaryDirectory() });
    sender = await hub.client('integration');
    reader = await hub.client('agent');
  });

  afterAll(() => hub.stop());

  /** Takes contacts, and waits until the timelines show them. */
  const tell = async (...contacts: object[]): Promise<IngestAnswer['results']> => {
    const results = await sender.take(contacts);
    await reader.customers('email:nobody@example.com', Math.max(...results.map(({ position }) => position ?? 0)));
    return results;
  };

  /** Waits until who is who is decided for all that was told so far. */
  const decide = async (): Promise<void> => {
    const name = `decided-${++serial}`;
    await tell(contact({ channel: 'letter', ...from(`email:${name}@example.net`, `account:${name}`) }));
    await eventually(async () =>
      expect((await reader.customer(`account:${name.toUpperCase()}`)).identities).toHaveLength(2),
    );
  };

  it('says at its first start where it is and who may come in', () => {
    expect(hub.stdout).toMatch(/^Hilo is listening on http:\/\/localhost:\d+$/m);
    expect(hub.stdout).toMatch(/^API page: http:\/\/localhost:\d+\/docs$/m);
    const file = join(hub.dataDir, 'api-keys.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { demo } = JSON.parse(readFileSync(file, 'utf8')) as { demo: Record<Role, string> };
    expect(Object.keys(demo)).toEqual(['integration', 'agent', 'supervisor', 'analyst', 'admin']);
    for (const [role, key] of Object.entries(demo)) expect(hub.stdout).toContain(`${role.padEnd(12)} ${key}`);
  });

  it('serves the API page, its document, and what a supervisor of processes asks', async () => {
    const anyone = await hub.client({ key: undefined });
    for (const path of ['/docs', '/livez', '/readyz', '/metrics']) expect((await anyone.get(path)).status).toBe(200);
    const { paths } = (await anyone.get<{ paths: object }>('/docs/openapi.json')).body;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/interactions', '/v1/customers/{id}/timeline', '/v1/history/events']),
    );
    const asked = paths as Record<string, { get: { parameters: { name: string; description?: string }[] } }>;
    for (const path of [
      '/v1/customers',
      '/v1/customers/{id}',
      '/v1/customers/{id}/timeline',
      '/v1/interactions/{id}',
      '/v1/conversations/{id}',
    ])
      expect(asked[path]!.get.parameters).toContainEqual(
        expect.objectContaining({ name: 'asOf', description: expect.stringMatching(/recorded by then/) as unknown }),
      );
    expect(await anyone.get('/docs/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  describe('takes contacts', () => {
    const event = (data: object) => ({
      specversion: '1.0',
      id: `event-${++serial}`,
      source: '/shop',
      type: 'any',
      data,
    });
    const lines = (...items: object[]) => `${items.map((item) => JSON.stringify(item)).join('\n')}\n`;

    it.each<[string, string, () => unknown, number]>([
      ['one as JSON', 'application/json', () => contact(), 1],
      ['an array', 'application/json', () => [contact(), contact(), contact()], 3],
      ['lines', 'application/x-ndjson', () => lines(contact(), contact()), 2],
      ['a CloudEvent', 'application/cloudevents+json', () => event(contact()), 1],
      ['a batch of them', 'application/cloudevents-batch+json', () => [event(contact()), event(contact())], 2],
    ])('%s, and says what became of each', async (_name, type, body, count) => {
      const sent = body();
      const first = await sender.post<IngestAnswer>('/v1/interactions', sent, type);
      expect([first.status, first.body.results.length]).toEqual([202, count]);
      for (const { status, receipt, position } of first.body.results) {
        expect(status).toBe('recorded');
        await eventually(async () =>
          expect(await sender.receipt(receipt!)).toEqual({ receipt, status: 'recorded', position, visible: true }),
        );
      }
      const again = await sender.post<IngestAnswer>('/v1/interactions', sent, type);
      expect(again.body.results).toEqual(first.body.results.map((result) => ({ ...result, status: 'duplicate' })));
    });

    it('the good ones of a batch, and says of the bad one where it is wrong', async () => {
      const answer = await sender.post<IngestAnswer>('/v1/interactions', [
        contact(),
        contact({ externalID: 'x', kind: 'chat' }),
        contact(),
      ]);
      expect(answer.status).toBe(202);
      expect(answer.body.results.map(({ status }) => status)).toEqual(['recorded', 'rejected', 'recorded']);
      expect(answer.body.results[1]!.error!.errors!.map(({ path }) => path).toSorted()).toEqual([
        '$[1].externalID',
        '$[1].kind',
      ]);
      const none = await sender.post('/v1/interactions', [{}, {}]);
      expectProblem(none, 422, 'INGEST.REJECTED');
    });

    it.each<[string, string, unknown, number, string]>([
      ['XML', 'application/xml', '<x/>', 415, 'INGEST.UNSUPPORTED_TYPE'],
      ['half an object', 'application/json', '{', 400, 'REQUEST.NOT_JSON'],
      ['1001 items', 'application/json', Array(1001).fill({}), 413, 'INGEST.TOO_MANY'],
    ])('not %s', async (_name, type, body, status, code) => {
      const answer = await sender.post('/v1/interactions', body, type);
      expect(answer.body).toMatchObject({ status, code });
      expectProblem(answer, status, code);
    });

    it('other content under the same id aside, with a receipt that says why', async () => {
      const said = contact({ text: 'one thing' });
      const [first] = await tell(said);
      const [other] = await sender.take({ ...said, text: 'another thing' });
      expect(other).toMatchObject({ status: 'parked', error: { code: 'INGEST.PARKED' } });
      expect(other!.receipt).not.toBe(first!.receipt);
      expect(await sender.receipt(other!.receipt!)).toEqual({
        receipt: other!.receipt,
        status: 'parked',
        reason: expect.stringMatching(/same externalId/) as unknown,
        visible: false,
      });
      expect(await reader.interaction(first!.receipt!)).toMatchObject({ body: { text: 'one thing' }, revision: 1 });
      // The timeline's own contact stays, and so does its receipt.
      expect(await sender.receipt(first!.receipt!)).toMatchObject({ status: 'recorded', position: first!.position });
    });
  });

  describe('finds a customer', () => {
    it('by an identifier in any spelling', async () => {
      await tell(contact(from('email:Maria.Lopez@Example.com')), contact(from('phone:+34 600 12 34 56')));
      const { id } = await reader.customer('email:maria.lopez@example.com');
      for (const spelling of [
        'email:MARIA.LOPEZ@EXAMPLE.COM',
        'Email: maria.lopez@example.com',
        'email:mailto:Maria.Lopez@example.com',
      ])
        expect((await reader.customer(spelling)).id).toBe(id);
      const caller = await reader.customer('phone:+34600123456');
      for (const spelling of ['phone:+34 (600) 123-456', 'phone:tel:+34-600-123-456'])
        expect((await reader.customer(spelling)).id).toBe(caller.id);
      expect(caller.id).not.toBe(id);
      expect(await reader.customers('email:never.seen@example.com')).toEqual([]);
      for (const identifier of ['', 'email', 'email:', ':x'])
        expectProblem(await reader.get('/v1/customers', { identifier }), 400, 'QUERY.INVALID');
      expectProblem(await reader.get('/v1/customers'), 400, 'QUERY.INVALID');
    });

    it('whom a profile and a contact with two identifiers have joined, by any of its ids', async () => {
      await tell(contact(from('email:pia@example.com')), contact({ channel: 'sms', ...from('phone:+34600000001') }));
      const apart = [await reader.customer('email:pia@example.com'), await reader.customer('phone:+34600000001')];
      expect(apart[0]!.id).not.toBe(apart[1]!.id);
      const record = {
        source: 'crm',
        externalId: 'pia',
        name: 'Pia Roth',
        ...(from('email:pia@example.com', 'phone:+34600000001') as { customer: object }).customer,
      };
      const [imported] = await sender.take(record, '/v1/profiles');
      expect(imported!.status).toBe('recorded');
      expect((await sender.take(record, '/v1/profiles'))[0]).toMatchObject({ status: 'duplicate' });
      await tell(contact({ channel: 'store', ...from('email:pia@example.com', 'loyalty:pia-1') }));
      await decide();
      const pia = await reader.customer('loyalty:PIA-1');
      expect(pia).toMatchObject({ id: apart[0]!.id, name: 'Pia Roth', interactions: 3 });
      expect(pia.identities.map(({ type }) => type).toSorted()).toEqual(['email', 'loyalty', 'phone', 'profile']);
      expect(pia.profiles).toMatchObject([{ source: 'crm', externalId: 'pia' }]);
      expect(pia.channels).toEqual({ email: 1, sms: 1, store: 1 });
      // Ids from before the merge lead to the same customer.
      for (const { id } of [...apart, ...pia.identities]) {
        const again = await reader.mustGet<{ id: string }>(`/v1/customers/${id}`);
        expect(again.id).toBe(pia.id);
        expect((await reader.timeline(id)).items).toHaveLength(3);
      }
      expect(await sender.receipt(imported!.receipt!)).toMatchObject({ status: 'recorded', visible: true });
    });

    it('and keeps two customers apart that share a landline', async () => {
      const landline = 'phone:+34910000000';
      const person = (account: string, name: string) =>
        contact({
          channel: 'phone',
          kind: 'call',
          customer: {
            name,
            identifiers: [
              { type: 'account', value: account, verified: true },
              { type: 'phone', value: '+34910000000' },
            ],
          },
        });
      await tell(person('A-100', 'Ana Ruiz'), person('A-200', 'Bernd Maier'));
      await decide();
      const [ana, bernd] = [await reader.customer('account:A-100'), await reader.customer('account:A-200')];
      expect(ana.id).not.toBe(bernd.id);
      expect([ana.interactions, bernd.interactions]).toEqual([1, 1]);
      // Both are found by it.
      const found = await reader.customers(landline);
      expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([ana.id, bernd.id]));
    });

    it('and keeps a contact without anybody findable by its conversation', async () => {
      const [taken] = await tell(contact({ channel: 'phone', kind: 'call', ...from('phone:anonymous') }));
      const { conversation, customer } = await reader.interaction(taken!.receipt!);
      expect(idsOf(await reader.conversation(conversation))).toEqual([taken!.receipt]);
      expect(idsOf(await reader.timeline(customer))).toEqual([taken!.receipt]);
    });
  });

  describe('shows a timeline', () => {
    const who = 'email:tom@example.com';
    let tom: string;
    let told: IngestAnswer['results'];

    beforeAll(async () => {
      const mine = from(who);
      told = await tell(
        contact({ ...mine, occurredAt: at(1), subject: 'First', text: 'Hello   there,\n\nhow are you?', threadId: 't-1' }),
        contact({ ...mine, occurredAt: at(2), channel: 'phone', account: 'line', kind: 'call', outcome: 'resolved', agent: 'ag-1', endedAt: at(2, 60_000) }),
        contact({ ...mine, occurredAt: at(3), channel: 'chat', direction: 'outbound', text: 'x'.repeat(500) }),
        contact({ ...mine, occurredAt: at(4), channel: 'store', kind: 'visit', attributes: { till: 4 } }),
        contact({ ...mine, occurredAt: at(5), subject: 'Re: First', direction: 'outbound', threadId: 't-1', html: '<p>Fine</p>' }),
        contact({ ...mine, occurredAt: new Date().toISOString(), channel: 'social', kind: 'feedback' }),
      ); // prettier-ignore
      tom = (await reader.customer(who)).id;
    });

    const shown = async (query: Query): Promise<number[]> =>
      idsOf(await reader.timeline(tom, query)).map((id) => told.findIndex(({ receipt }) => receipt === id) + 1);

    it('newest first, whatever the order of arrival, in light entries', async () => {
      const { items, next, previous } = await reader.timeline(tom);
      expect(idsOf({ items })).toEqual(told.map(({ receipt }) => receipt).toReversed());
      expect([next, previous]).toEqual([undefined, undefined]);
      const [, , , , call, mail] = items as [...TimelineEntryDto[]];
      expect(mail).toEqual({
        id: told[0]!.receipt,
        conversation: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
        channel: 'email',
        account: 'care@acme.example',
        kind: 'message',
        direction: 'inbound',
        occurredAt: at(1),
        recordedAt: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        position: told[0]!.position,
        late: true,
        corrected: false,
        subject: 'First',
        preview: 'Hello there, how are you?',
      });
      expect(call).toMatchObject({ outcome: 'resolved', agent: 'ag-1', late: true });
      expect(items[0]).toMatchObject({ channel: 'social', late: false });
      expect(items[3]!.preview!.length).toBeLessThanOrEqual(120);
    });

    it.each<[Query, number[]]>([
      [{ channel: 'email' }, [5, 1]],
      [{ channel: 'email,phone' }, [5, 2, 1]],
      [{ channel: 'fax' }, []],
      [{ kind: 'call,visit' }, [4, 2]],
      [{ direction: 'outbound' }, [5, 3]],
      [{ direction: 'inbound,internal' }, [6, 4, 2, 1]],
      [{ from: at(3) }, [6, 5, 4, 3]],
      [{ to: at(3) }, [2, 1]],
      [{ from: at(2), to: at(4) }, [3, 2]],
      [{ from: '2025-03-03T01:00:00+01:00', to: '2025-03-03T00:00:00.001Z' }, [2]],
      [{ from: at(5), to: at(1) }, []],
      [{ channel: 'email', direction: 'outbound', kind: 'message' }, [5]],
      [{ limit: 2 }, [6, 5]],
    ])('filtered by %j', async (query, expected) => {
      expect(await shown(query)).toEqual(expected);
    });

    it('with the bodies, where they are asked for', async () => {
      const bodies = (await reader.timeline(tom, { include: 'body' })).items.map(({ body }) => body);
      expect(bodies).toEqual([
        {},
        { html: '<p>Fine</p>' },
        { attributes: { till: 4 } },
        { text: 'x'.repeat(500) },
        {},
        { text: 'Hello   there,\n\nhow are you?' },
      ]);
    });

    it.each<[Query]>([
      [{ limit: 0 }],
      [{ limit: 101 }],
      [{ limit: -1 }],
      [{ limit: 'ten' }],
      [{ limit: 1.5 }],
      [{ before: 'x' }],
      [{ after: '*' }],
      [{ before: Buffer.from('1.2.3').toString('base64url') }],
      [{ before: Buffer.from('1.2').toString('base64url'), after: Buffer.from('1.2').toString('base64url') }],
      [{ kind: 'chat' }],
      [{ direction: 'up' }],
      [{ from: 'yesterday' }],
      [{ to: '2025-03-02' }],
      [{ include: 'everything' }],
      [{ chanel: 'email' }],
      [{ atLeast: 'x' }],
      [{ asOf: 'yesterday' }],
      [{ asOf: '2026-03-02T12:00:00' }],
      [{ asOfPosition: 'x' }],
      [{ asOfPosition: 1e15 }],
      [{ asOf: at(1), asOfPosition: 1 }],
      [{ to: at(1), occurredTo: at(1) }],
    ])('not for %j: it says what is allowed', async (query) => {
      const answer = await reader.get(`/v1/customers/${tom}/timeline`, query);
      expectProblem(answer, 400, 'QUERY.INVALID');
      expect(answer.body.detail).toMatch(/allowed|give|pass/);
      const ofThePast = 'asOf' in query || 'asOfPosition' in query;
      expect(answer.body.detail.startsWith('asOf')).toBe(ofThePast);
      if (ofThePast) {
        const { conversation } = await reader.interaction(told[0]!.receipt!);
        for (const path of [
          `/v1/customers/${tom}`,
          `/v1/conversations/${conversation}`,
          `/v1/interactions/${told[0]!.receipt}`,
        ])
          expectProblem(await reader.get(path, query), 400, 'QUERY.INVALID');
      }
      if ('include' in query || 'chanel' in query || 'asOf' in query) return;
      // The conversation's pages are bounded alike.
      if ('limit' in query || 'before' in query || 'after' in query) {
        const { conversation } = await reader.interaction(told[0]!.receipt!);
        expectProblem(await reader.get(`/v1/conversations/${conversation}`, query), 400, 'QUERY.INVALID');
      }
    });

    it('as it was known, before a correction and a merge', async () => {
      const [vera, phone] = ['email:vera@example.com', 'phone:+34600009001'];
      const said = contact({ ...from(vera), occurredAt: at(1), subject: 'Draft', text: 'a draft', threadId: 'vera' });
      const [first, second] = await tell(said, contact({ channel: 'sms', ...from(phone), occurredAt: at(2) }));
      const { id } = await reader.customer(vera);
      const caller = await reader.customer(phone);
      const { conversation } = await reader.interaction(first!.receipt!);
      const before = { asOf: (await reader.timeline(caller.id)).items[0]!.recordedAt };
      // The clock counts in milliseconds: what comes next is recorded later.
      await new Promise((resolve) => setTimeout(resolve, 5));
      await tell(
        { ...said, revision: 2, subject: 'Final', text: 'the end', occurredAt: at(3) },
        contact({ channel: 'store', ...from(vera, phone), customer: { ...(from(vera, phone) as { customer: object }).customer, name: 'Vera' }, occurredAt: at(4) }),
      ); // prettier-ignore
      await decide();
      expect(idsOf(await reader.timeline(caller.id))).toHaveLength(3);

      const then = await reader.timeline(id, { ...before, include: 'body' });
      expect(then).toMatchObject({
        asOfPosition: second!.position,
        items: [
          { id: first!.receipt, subject: 'Draft', corrected: false, occurredAt: at(1), body: { text: 'a draft' } },
        ],
      });
      expect(idsOf(then)).toHaveLength(1);
      // The position says the same, for ever.
      expect(await reader.timeline(id, { asOfPosition: then.asOfPosition, include: 'body' })).toEqual(then);
      expect(idsOf(await reader.timeline(caller.id, before))).toEqual([second!.receipt]);
      const header = await reader.mustGet<{ id: string; interactions: number; name?: string; identities: object[] }>(
        `/v1/customers/${caller.id}`,
        before,
      );
      expect(header).toMatchObject({ id: caller.id, interactions: 1, asOfPosition: second!.position });
      expect([header.name, header.identities]).toEqual([undefined, [expect.objectContaining({ id: caller.id })]]);
      const found = await reader.mustGet<{ items: object[] }>('/v1/customers', { identifier: phone, ...before });
      expect(found).toMatchObject({ items: [{ id: caller.id }], asOfPosition: second!.position });
      expect(await reader.conversation(conversation, before)).toMatchObject({
        customers: [id],
        items: [{ subject: 'Draft' }],
      });
      expect(await reader.mustGet(`/v1/interactions/${first!.receipt}`, before)).toMatchObject({
        revision: 1,
        subject: 'Draft',
        body: { text: 'a draft' },
        asOfPosition: second!.position,
      });

      // Another clock: of what was known then, what had happened by an instant.
      expect(idsOf(await reader.timeline(id, { ...before, occurredTo: at(1) }))).toEqual([]);
      // Before the first event nobody was known; an instant to come shows everything.
      for (const path of [`/v1/customers/${id}`, `/v1/customers/${id}/timeline`])
        expectProblem(await reader.get(path, { asOf: at(1) }), 404, 'NOT_FOUND');
      expect(await reader.mustGet('/v1/customers', { identifier: vera, asOf: at(1) })).toEqual({
        items: [],
        asOfPosition: 0,
      });
      const future = { asOf: new Date(Date.now() + DAY_MS).toISOString(), limit: 1 };
      const newest = await reader.timeline(id, future);
      expect(idsOf(newest)).toEqual(idsOf(await reader.timeline(id, { limit: 1 })));

      // A cursor stays with its past, also where more has been recorded up to the instant since.
      await tell(contact({ ...from(vera), occurredAt: at(2, 1) }));
      const older = await reader.timeline(id, { ...future, before: newest.next });
      expect([older.asOfPosition, older.items[0]!.occurredAt]).toEqual([newest.asOfPosition, at(3)]);
      for (const query of [{}, before, { asOfPosition: newest.asOfPosition! - 1 }]) {
        const refused = await reader.get(`/v1/customers/${id}/timeline`, { ...query, before: newest.next });
        expectProblem(refused, 400, 'QUERY.INVALID');
        expect(refused.body.detail).toMatch(/^before: is a cursor of asOfPosition=/);
      }
      const { next } = await reader.timeline(id, { limit: 1 });
      expectProblem(
        await reader.get(`/v1/customers/${id}/timeline`, { ...before, before: next }),
        400,
        'QUERY.INVALID',
      );
    });

    it('corrected by a higher revision, in its place in time, and not by a lower one', async () => {
      const said = contact({ ...from('email:uma@example.com'), occurredAt: at(10), subject: 'Draft' });
      const [first] = await tell(said, contact({ ...from('email:uma@example.com'), occurredAt: at(20) }));
      const { id } = await reader.customer('email:uma@example.com');
      const [better] = await tell({ ...said, revision: 3, occurredAt: at(30), subject: 'Final' });
      expect(better).toMatchObject({ status: 'corrected', receipt: first!.receipt });
      expect((await tell({ ...said, revision: 2, subject: 'Between' }))[0]).toMatchObject({ status: 'duplicate' });
      const { items } = await reader.timeline(id);
      expect(items).toHaveLength(2);
      expect(items[0]).toMatchObject({
        id: first!.receipt,
        subject: 'Final',
        corrected: true,
        occurredAt: at(30),
        position: first!.position,
      });
      expect(items[1]).toMatchObject({ corrected: false });
      expect(await reader.interaction(first!.receipt!)).toMatchObject({
        revision: 3,
        corrected: true,
        position: first!.position,
        lastPosition: better!.position,
        subject: 'Final',
      });
      expect(await sender.receipt(first!.receipt!)).toMatchObject({ status: 'corrected', position: better!.position });
    });

    it('of which one contact and one conversation can be seen whole', async () => {
      const whole = await reader.interaction(told[4]!.receipt!);
      expect(whole).toMatchObject({
        id: told[4]!.receipt,
        externalId: expect.stringMatching(/^contact-/) as unknown,
        threadId: 't-1',
        direction: 'outbound',
        revision: 1,
        customer: tom,
        identifiers: [{ type: 'email', value: 'tom@example.com', identity: tom }],
        body: { html: '<p>Fine</p>' },
      });
      expect(whole).not.toHaveProperty('digest');
      const thread = await reader.conversation(whole.conversation, { include: 'body' });
      expect(thread).toMatchObject({ id: whole.conversation, customers: [tom] });
      expect(idsOf(thread)).toEqual([told[4]!.receipt, told[0]!.receipt]);
      expect(thread.items[0]!.body).toEqual({ html: '<p>Fine</p>' });
      const page = await reader.conversation(whole.conversation, { limit: 1 });
      const rest = await reader.conversation(whole.conversation, { limit: 1, before: page.next });
      expect([idsOf(page), idsOf(rest), rest.next]).toEqual([[told[4]!.receipt], [told[0]!.receipt], undefined]);
    });

    it('only once it shows what was asked for with atLeast', async () => {
      const [taken] = await sender.take(contact(from('email:at.least@example.com')));
      const { id } = await reader.customer('email:at.least@example.com', taken!.position);
      const [more] = await sender.take(contact({ ...from('email:at.least@example.com'), occurredAt: at(50) }));
      const { items } = await reader.timeline(id, { atLeast: more!.position });
      expect(items[0]!.id).toBe(more!.receipt);
      const never = await reader.get(`/v1/customers/${id}/timeline`, { atLeast: 10_000_000 });
      expectProblem(never, 503, 'READ_MODEL.BEHIND');
      expect(never.headers.get('retry-after')).toMatch(/^\d+$/);
    });
  });

  describe('pages', () => {
    it('neither skip nor repeat, in both directions, while late contacts arrive between them', async () => {
      const random = randomOf(seedOf('HILO_PAGES_SEED'));
      const mine = from('email:paging@example.com');
      // Several at one instant: the place in the log tells them apart.
      const someday = () => at(Math.floor(random() * 12), Math.floor(random() * 3));
      const fresh = () => contact({ ...mine, occurredAt: someday(), channel: random() < 0.5 ? 'email' : 'chat' });
      await tell(...Array.from({ length: 60 }, fresh));
      const { id } = await reader.customer('email:paging@example.com');
      const whole = async (): Promise<TimelineEntryDto[]> => {
        const entries: TimelineEntryDto[] = [];
        for (let before: string | undefined; ;) {
          const { items, next } = await reader.timeline(id, { limit: 100, before });
          entries.push(...items);
          if (next === undefined) return entries;
          before = next;
        }
      };

      for (const filter of [{}, { channel: 'email' }] as Query[]) {
        const isWanted = ({ channel }: TimelineEntryDto) => !('channel' in filter) || channel === filter.channel;
        for (const direction of ['older', 'newer'] as const) {
          const before = (await whole()).filter(isWanted);
          const limit = 1 + Math.floor(random() * 8);
          let seen: TimelineEntryDto[] = [];
          // The way back begins behind the oldest entry.
          let page: TimelinePageDto =
            direction === 'older'
              ? await reader.timeline(id, { ...filter, limit })
              : await reader.timeline(id, { ...filter, limit, after: Buffer.from('0.0').toString('base64url') });
          for (;;) {
            expect(page.items.length).toBeLessThanOrEqual(limit);
            seen = direction === 'older' ? [...seen, ...page.items] : [...page.items, ...seen];
            if (random() < 0.4) await tell(fresh(), fresh());
            const cursor = direction === 'older' ? page.next : page.previous;
            if (cursor === undefined) break;
            page = await reader.timeline(id, {
              ...filter,
              limit,
              ...(direction === 'older' ? { before: cursor } : { after: cursor }),
            });
          }
          expect(new Set(idsOf({ items: seen })).size).toBe(seen.length);
          // Everything that was there before, and whatever came meanwhile in its place.
          expect(idsOf({ items: seen })).toEqual(expect.arrayContaining(idsOf({ items: before })));
          const after = (await whole()).filter(isWanted).map(({ id: entry }) => entry);
          const places = seen.map(({ id: entry }) => after.indexOf(entry));
          expect(places).toEqual(places.toSorted((a, b) => a - b));
          expect(places).not.toContain(-1);
        }
      }

      // There and back again: the page before the page after is the page.
      const first = await reader.timeline(id, { limit: 7 });
      const second = await reader.timeline(id, { limit: 7, before: first.next });
      const back = await reader.timeline(id, { limit: 7, after: second.previous });
      expect(idsOf(back)).toEqual(idsOf(first));
      expect(idsOf(await reader.timeline(id, { limit: 7, before: back.next }))).toEqual(idsOf(second));
      // The newest page knows no newer one until something newer comes.
      expect(first.previous).toBeUndefined();
      expect(back.previous).toBeUndefined();
    });
  });

  describe('streams', () => {
    it('what happens from now on, and what was missed, each entry once', async () => {
      const mine = from('email:live@example.com');
      const [first] = await tell(contact({ ...mine, text: 'before anybody watched' }));
      const { id } = await reader.customer('email:live@example.com');
      const live = await reader.stream(id);
      expect(live.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
      const [second] = await sender.take(contact({ ...mine, text: 'while somebody watched' }));
      // Somebody else's contact is not for these eyes.
      await sender.take(contact(from('email:other.live@example.com')));
      const [third] = await sender.take(contact({ ...mine, channel: 'chat' }));
      const seen = await live.nextOf(2);
      expect(seen.map(({ id: eventId, entry }) => [eventId, entry.id])).toEqual([
        [String(second!.position), second!.receipt],
        [String(third!.position), third!.receipt],
      ]);
      expect(seen[0]!.entry).toEqual((await reader.timeline(id)).items.find((entry) => entry.id === second!.receipt));
      await live.close();

      const [fourth] = await tell(contact({ ...mine, text: 'while nobody watched' }));
      const resumed = await reader.stream(id, seen[0]!.id);
      const [fifth] = await sender.take(contact({ ...mine, text: 'after coming back' }));
      expect((await resumed.nextOf(3)).map(({ entry }) => entry.id)).toEqual(
        [third, fourth, fifth].map((result) => result!.receipt),
      );
      await resumed.close();

      const fromStart = await reader.stream(id, '0');
      expect((await fromStart.nextOf(5)).map(({ entry }) => entry.id)).toEqual(
        [first, second, third, fourth, fifth].map((result) => result!.receipt),
      );
      await fromStart.close();
    });

    it('a correction, and the contacts of whoever has been linked meanwhile', async () => {
      const said = contact({ ...from('email:vera@example.com'), subject: 'Draft' });
      await tell(said);
      const live = await reader.stream((await reader.customer('email:vera@example.com')).id);
      await sender.take({ ...said, revision: 2, subject: 'Final' });
      expect((await live.next()).entry).toMatchObject({ subject: 'Final', corrected: true });
      await tell(contact({ channel: 'sms', ...from('email:vera@example.com', 'phone:+34600000077') }));
      expect((await live.next()).entry).toMatchObject({ channel: 'sms' });
      await decide();
      await tell(contact({ channel: 'whatsapp', ...from('phone:+34600000077') }));
      expect((await live.next()).entry).toMatchObject({ channel: 'whatsapp' });
      await live.close();
    });

    it('a contact that only its own link brings to the customer', async () => {
      await tell(contact(from('email:wanda@example.com')));
      const { id } = await reader.customer('email:wanda@example.com');
      const live = await reader.stream(id);
      // It belongs to the loyalty number, of which nobody knew that it is hers.
      await tell(contact({ channel: 'store', ...from('email:wanda@example.com', 'loyalty:wanda') }));
      expect((await live.next()).entry).toMatchObject({ channel: 'store' });
      await live.close();
    });

    it('nothing for a place that is none', async () => {
      const { id } = await reader.customer('email:live@example.com');
      const path = `/v1/customers/${id}/timeline/stream`;
      const answer = await reader.request('GET', path, { headers: { 'last-event-id': 'x' } });
      expect(answer.body).toMatchObject({ status: 400, code: 'QUERY.INVALID' });
    });
  });

  describe('keeps tenants apart', () => {
    it('by answering about the ids of others as about ids that never were', async () => {
      const keys: Partial<Record<Role, string>> = {};
      for (const role of ['integration', 'supervisor', 'analyst', 'admin'] as const) {
        const made = await hilo(hub.dataDir, 'keys', 'create', '--tenant', 'other', '--role', role);
        expect(made.code).toBe(0);
        keys[role] = made.stdout.trim();
      }
      const [theirs, stranger] = [await hub.client({ key: keys.integration }), await hub.client({ key: keys.admin })];
      const said = contact({ ...from('email:shared@example.com'), text: 'of demo', threadId: 'shared-thread' });
      const [ours] = await tell(said);
      const [parked] = await sender.take({ ...said, text: 'of demo, in other words' });
      // The same contact of another tenant is another contact.
      const [others] = await theirs.take({ ...said, text: 'of other' });
      expect(others).toMatchObject({ status: 'recorded' });
      expect(others!.receipt).not.toBe(ours!.receipt);
      const customer = await reader.customer('email:shared@example.com', others!.position);
      const { conversation } = await reader.interaction(ours!.receipt!);

      const own = await stranger.customer('email:shared@example.com', others!.position);
      expect([own.id === customer.id, own.interactions]).toEqual([false, 1]);
      expect((await stranger.timeline(own.id, { include: 'body' })).items.map(({ body }) => body!.text)).toEqual([
        'of other',
      ]);
      expect(await stranger.customers('email:tom@example.com')).toEqual([]);

      const blank = (text: string) => text.replaceAll(/"instance":"[^"]*"/g, '');
      const expectUnknown = async (client: HubClient, path: (id: string) => string, id: string): Promise<void> => {
        const [foreign, unknown] = [await client.get(path(id)), await client.get(path(NOBODY))];
        expect([path(id), foreign.status]).toEqual([path(id), 404]);
        expect(blank(foreign.text)).toBe(blank(unknown.text));
        const names = (headers: Headers) => [...headers.keys()].filter((name) => name !== 'date').toSorted();
        expect(names(foreign.headers)).toEqual(names(unknown.headers));
      };
      for (const key of [keys.supervisor, keys.admin]) {
        const client = await hub.client({ key });
        await expectUnknown(client, (id) => `/v1/customers/${id}`, customer.id);
        await expectUnknown(client, (id) => `/v1/customers/${id}/timeline`, customer.id);
        await expectUnknown(client, (id) => `/v1/customers/${id}/timeline?include=body&limit=5`, customer.id);
        await expectUnknown(client, (id) => `/v1/customers/${id}/timeline/stream`, customer.id);
        await expectUnknown(client, (id) => `/v1/interactions/${id}`, ours!.receipt!);
        await expectUnknown(client, (id) => `/v1/conversations/${id}`, conversation);
        await expectUnknown(client, (id) => `/v1/receipts/${id}`, ours!.receipt!);
        await expectUnknown(client, (id) => `/v1/receipts/${id}`, parked!.receipt!);
      }
      const analyst = await hub.client({ key: keys.analyst });
      await expectUnknown(analyst, (id) => `/v1/history/events?customer=${id}`, customer.id);
      const log = (await analyst.get('/v1/history/events')).text.trim().split('\n');
      expect(new Set(log.map((line) => (JSON.parse(line) as { tenant: string }).tenant))).toEqual(new Set(['other']));
      expect((await (await hub.client('analyst')).get('/v1/history/events')).text).not.toContain('of other');
      // A cursor is a place, and places are no secret: it opens nothing.
      const { next } = await reader.timeline(customer.id, {
        limit: 1,
        after: Buffer.from('0.0').toString('base64url'),
      });
      expect((await stranger.timeline(own.id, { before: next })).items.every(({ id }) => id === others!.receipt)).toBe(
        true,
      );
    });
  });

  describe('lets everybody do their own', () => {
    const posts = ['/v1/interactions', '/v1/profiles'];
    const reads = [
      '/v1/customers?identifier=email:tom@example.com',
      `/v1/customers/${NOBODY}`,
      `/v1/customers/${NOBODY}/timeline`,
      `/v1/interactions/${NOBODY}`,
      `/v1/conversations/${NOBODY}`,
    ];
    const stream = `/v1/customers/${NOBODY}/timeline/stream`;
    const receipt = `/v1/receipts/${NOBODY}`;
    const history = '/v1/history/events?limit=1';

    it.each<[Role, { posts: boolean; reads: boolean; stream: boolean; receipt: boolean; history: boolean }]>([
      ['integration', { posts: true, reads: false, stream: false, receipt: true, history: false }],
      ['agent', { posts: false, reads: true, stream: true, receipt: true, history: false }],
      ['supervisor', { posts: false, reads: true, stream: true, receipt: true, history: false }],
      ['analyst', { posts: false, reads: true, stream: false, receipt: true, history: true }],
      ['admin', { posts: true, reads: true, stream: true, receipt: true, history: true }],
    ])('as %s', async (role, may) => {
      const client = await hub.client(role);
      const isLetIn = async (answer: Promise<{ status: number; headers: Headers; body: ProblemDetails }>) => {
        const given = await answer;
        if (given.status === 403) expectProblem(given, 403, 'ACCESS.FORBIDDEN');
        return given.status !== 403;
      };
      for (const path of posts) expect([path, await isLetIn(client.post(path, {}))]).toEqual([path, may.posts]);
      for (const path of reads) expect([path, await isLetIn(client.get(path))]).toEqual([path, may.reads]);
      expect(await isLetIn(client.get(stream))).toBe(may.stream);
      expect(await isLetIn(client.get(receipt))).toBe(may.receipt);
      expect(await isLetIn(client.get(history))).toBe(may.history);
    });

    it.each(['', 'hilo_x', `hilo_abcdefgh_${'A'.repeat(43)}`])('not with the key %j', async (key) => {
      const client = await hub.client({ key: key === '' ? undefined : key });
      for (const path of [...reads, stream, receipt, history]) {
        const answer = await client.get(path);
        expectProblem(answer, 401, 'ACCESS.UNAUTHENTICATED');
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
      for (const path of posts) expectProblem(await client.post(path, {}), 401, 'ACCESS.UNAUTHENTICATED');
    });
  });

  describe('hands the history to analysts', () => {
    interface HistoryLine {
      position: number;
      type: string;
      tenant: string;
      data: { externalId?: string };
    }

    it('in order, from any position, filtered, and of one customer', async () => {
      const analyst = await hub.client('analyst');
      const read = async (query: Query = {}): Promise<HistoryLine[]> => {
        const answer = await analyst.get('/v1/history/events', query);
        expect([answer.status, answer.headers.get('content-type')]).toEqual([
          200,
          'application/x-ndjson; charset=utf-8',
        ]);
        expect(answer.headers.get('hilo-head')).toMatch(/^\d+$/);
        return answer.text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as HistoryLine);
      };
      const all = await read();
      const positions = all.map(({ position }) => position);
      expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
      expect(new Set(all.map(({ tenant }) => tenant))).toEqual(new Set(['demo']));
      expect(all.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['InteractionRecorded', 'InteractionCorrected', 'ProfileImported', 'IdentitiesLinked']),
      );
      const middle = positions[Math.floor(positions.length / 2)]!;
      // Looks at customers are written down a moment later, and go on being written.
      const toPosition = positions.at(-1);
      expect(await read({ position: middle, toPosition })).toEqual(all.filter(({ position }) => position >= middle));
      expect(await read({ toPosition: middle, limit: 3 })).toEqual(all.slice(0, 3));
      expect(await read({ types: 'ProfileImported', toPosition })).toEqual(
        all.filter(({ type }) => type === 'ProfileImported'),
      );
      const { id } = await reader.customer('email:tom@example.com');
      const told = (await read({ customer: id })).filter(({ type }) => type !== 'TimelineViewed');
      expect(told.map(({ type }) => type)).toEqual(Array(6).fill('InteractionRecorded'));
      expectProblem(await analyst.get('/v1/history/events', { typ: 'x' }), 422, 'HISTORY.INVALID');
      expectProblem(await analyst.get('/v1/history/events', { position: 'x' }), 422, 'HISTORY.INVALID');
    });
  });
});

describe('starting and stopping', () => {
  it('refuses a second hub on the same directory, and says who has it', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const second = HubProcess.spawn({ dataDir });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.stderr).toMatch(
      /^hilo: .* is in use by hub \(process \d+, since .*\); stop it first, or set HILO_DATA_DIR/,
    );
    expect(second.stderr).toContain(`process ${first.pid},`);
    expect(second.stdout).toBe('');
    // The first one has not noticed.
    expect(await (await first.client('integration')).take(contact())).toMatchObject([{ status: 'recorded' }]);
    await first.stop();
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ HILO_BUS_URL: 'carrier-pigeon:' }, /HILO_BUS_URL: .*carrier-pigeon.*embedded:/],
    [{ HILO_BUS_URL: 'kafka://' }, /HILO_BUS_URL: .*kafka:\/\/host:port/],
    [{ HILO_EVENT_STORE_URL: 'mysql://x' }, /HILO_EVENT_STORE_URL: .*mysql.*sqlite:/],
    [{ HILO_EVENT_STORE_URL: 'esdb://x' }, /HILO_EVENT_STORE_URL: .*esdb.*sqlite:/],
    [{ HILO_READ_MODEL_URL: 'mongodb://x' }, /HILO_READ_MODEL_URL: .*sqlite:/],
    [{ HILO_READ_MODEL_URL: 'postgres://x/y?schema=No-Good' }, /HILO_READ_MODEL_URL: schema /],
    [{ HILO_PORT: '70000' }, /HILO_PORT: /],
    [{ HILO_PORT: 'eighty', HILO_LOG_LEVEL: 'loud', HILO_DEFAULT_COUNTRY: 'Spain' }, /HILO_PORT: [^]*HILO_DEFAULT_COUNTRY: [^]*HILO_LOG_LEVEL: /],
    [{ HILO_ACCOUNTS_FILE: '/does/not/exist.yaml' }, /HILO_ACCOUNTS_FILE: .*exist\.yaml/],
    [{ HILO_SQLITE_DRIVER: 'berkeley' }, /HILO_SQLITE_DRIVER: .*berkeley.*libsql/],
  ])('ends with code 1 for %j, naming what is wrong', async (env, message) => {
    const hub = HubProcess.spawn({ dataDir: temporaryDirectory(), env });
    expect(await hub.exited).toEqual({ code: 1, signal: null });
    expect(hub.stderr).toMatch(message);
    for (const line of hub.stderr.trim().split('\n')) expect(line).toMatch(/^hilo: /);
    expect(hub.stdout).toBe('');
  }); // prettier-ignore

  it.each(['SIGTERM', 'SIGINT'] as const)('stops on %s with code 0, and goes on where it was with the same keys', async (signal) => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const sender = await first.client('integration');
    const reader = await first.client('agent');
    const [taken] = await sender.take(contact(from('email:stays@example.com')));
    const { id } = await reader.customer('email:stays@example.com', taken!.position);
    // Somebody who watches does not keep it from stopping.
    const live = await reader.stream(id);
    expect(await first.stop(signal)).toEqual({ code: 0, signal: null });
    await live.ended;
    expect(first.stderr).toBe('');

    const second = await HubProcess.start({ dataDir });
    expect(second.key('agent')).toBe(first.key('agent'));
    expect(second.stdout).not.toContain(second.key('agent'));
    expect(second.stdout).toContain(`API keys: ${join(dataDir, 'api-keys.json')}`);
    const again = await second.client('agent');
    expect(idsOf(await again.timeline(id, { atLeast: taken!.position }))).toEqual([taken!.receipt]);
    expect(await second.stop(signal)).toEqual({ code: 0, signal: null });
  }); // prettier-ignore

  it('folds its timelines anew when they are lost, and shows all of them without further traffic', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const sender = await first.client('integration');
    const people = Array.from({ length: 30 }, (_, n) =>
      contact(from(`email:p${n}@example.com`, `phone:+3460000${1000 + n}`)),
    );
    await sender.take(people);
    const reader = await first.client('agent');
    await eventually(async () => expect((await reader.customer('phone:+34600001029')).identities).toHaveLength(2));
    const before = await reader.customer('phone:+34600001007');
    await first.stop();
    for (const end of ['', '-wal', '-shm']) rmSync(join(dataDir, `read-model.db${end}`), { force: true });
    const second = await HubProcess.start({ dataDir });
    const again = await second.client('agent');
    await eventually(async () => expect((await again.get('/readyz')).body).toMatchObject({ behind: 0 }), 30_000);
    expect(await again.customer('phone:+34600001007')).toEqual(before);
    await second.stop();
  });

  it('answers or refuses everything that is under way when it is stopped, and loses none of it', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const sender = await first.client('integration');
    const taken: string[] = [];
    let stopping = false;
    const send = async (): Promise<void> => {
      while (!stopping || first.isRunning) {
        const answer = await sender.post<IngestAnswer>('/v1/interactions', contact()).catch(() => undefined);
        if (answer?.status === 202) taken.push(answer.body.results[0]!.receipt!);
        else if (stopping) return;
        else throw new Error(`answered ${answer?.status} before it was stopped: ${answer?.text}`);
      }
    };
    const sending = Promise.all(Array.from({ length: 8 }, send));
    while (taken.length < 50) await eventually(() => expect(taken.length).toBeGreaterThanOrEqual(50));
    stopping = true;
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    await sending;
    const second = await HubProcess.start({ dataDir });
    const reader = await second.client('agent');
    for (const receipt of taken) expect(await reader.receipt(receipt)).toMatchObject({ status: 'recorded' });
    await second.stop();
  });
});
