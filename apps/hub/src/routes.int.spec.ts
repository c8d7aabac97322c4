import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { PUBLIC_METADATA, ROLES, ROLES_METADATA, type Role } from '#libs/access';
import { httpOptions } from '#libs/access/http-options.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { EmbeddedInteractionBus } from '#libs/bus/embedded/embedded.interaction-bus.js';
import { readAccountsFile } from '#libs/channels/accounts/read-accounts.js';
import { channelAdapters } from '#libs/channels/channels.module.js';
import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import { registerRawBody } from '#libs/channels/ingest/raw-body.js';
import type { WrittenDownDto } from '#libs/commands/agent-work/agent-work.dto.js';
import { DEFAULT_RULES, type InteractionContent } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { SystemClock, type Uuid } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { readSettings } from '#libs/kernel/settings.js';
import { ProjectionProgress } from '#libs/projections';
import { openSealedEventStore } from '#libs/privacy/open-sealed-event-store.js';
import { Projector } from '#libs/projections/projector/projector.js';
import { openReadModel } from '#libs/projections/read-model/open-read-model.js';
import type { AccessLogDto } from '#libs/queries/access-log/get-access-log.handler.js';
import type { CustomerDto, CustomerListDto } from '#libs/queries/customers/customer.dto.js';
import type { InteractionDto } from '#libs/queries/interactions/get-interaction.handler.js';
import type { TimelinePageDto } from '#libs/queries/timeline/timeline.dto.js';
import { hardenHttp, serveDocs } from '../../shared/src/http.js';
import type { HubParts } from '../../shared/src/parts.js';
import { HubModule } from './hub.module.js';

type Kind =
  | 'customer'
  | 'interaction'
  | 'conversation'
  | 'receipt'
  | 'link'
  | 'toConfirm'
  | 'toReject'
  | 'toKeep'
  | 'toWithdraw'
  | 'toErase'
  | 'erasure';

interface Route {
  /** Who may; admins always. `open`: everybody, by another proof or none. */
  who: readonly Role[] | 'open';
  /** Where the id of something stands, and what it is an id of. */
  id?: Kind;
  url: (id: string) => string;
  body?: object;
  status?: number;
}

const CONTACT = {
  channel: 'email',
  account: 'care@acme.example',
  externalId: 'posted-by-the-table',
  kind: 'message',
  occurredAt: '2025-03-02T09:15:00Z',
};
const PAIR = ['email:lucia.canary@example.com', 'phone:+34600998877'];
const READERS = ['agent', 'supervisor', 'analyst'] as const;
const SEGMENT = ['track', 't', 'identify', 'i', 'page', 'p', 'screen', 's', 'group', 'g', 'alias', 'a', 'batch', 'b'];
/** What Nest marks a handler of a route with. */
const HANDLER_METADATA = 'method';
const open = (url: string): Route => ({ who: 'open', url: () => url });

/** Every route of the hub. One that is missing here fails the first test, so that nobody forgets to think of it. */
const TABLE: Readonly<Record<string, Route>> = {
  'POST /v1/interactions': { who: ['integration'], url: () => '/v1/interactions', body: CONTACT, status: 202 },
  'POST /v1/profiles': {
    who: ['integration'],
    url: () => '/v1/profiles',
    body: { source: 'crm', externalId: '1' },
    status: 202,
  },
  'GET /v1/customers': { who: READERS, url: () => '/v1/customers?identifier=email:lucia.canary@example.com' },
  'GET /v1/customers/:id': { who: READERS, id: 'customer', url: (id) => `/v1/customers/${id}` },
  'GET /v1/customers/:id/timeline': {
    who: READERS,
    id: 'customer',
    url: (id) => `/v1/customers/${id}/timeline?include=body`,
  },
  'GET /v1/customers/:id/timeline/stream': {
    who: ['agent', 'supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/timeline/stream`,
  },
  'POST /v1/customers/:id/reveal': {
    who: READERS,
    id: 'customer',
    url: (id) => `/v1/customers/${id}/reveal`,
    body: { field: 'name', reason: 'call-back' },
  },
  'GET /v1/customers/:id/access-log': {
    who: ['supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/access-log`,
  },
  'GET /v1/customers/:id/data': { who: ['supervisor'], id: 'customer', url: (id) => `/v1/customers/${id}/data` },
  'POST /v1/customers/:id/consents': {
    who: ['integration', 'agent', 'supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/consents`,
    body: { purpose: 'surveys', channel: 'sms', granted: true, evidence: 'told parrot feather on the phone' },
  },
  'POST /v1/customers/:id/preferences': {
    who: ['integration', 'agent', 'supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/preferences`,
    body: { channel: 'email', evidence: 'told parrot feather on the phone' },
  },
  'GET /v1/customers/:id/identities': {
    who: READERS,
    id: 'customer',
    url: (id) => `/v1/customers/${id}/identities`,
  },
  'GET /v1/link-proposals': { who: ['agent', 'supervisor'], url: () => '/v1/link-proposals' },
  'POST /v1/links/preview': { who: ['supervisor'], url: () => '/v1/links/preview', body: { link: PAIR } },
  'POST /v1/links': {
    who: ['supervisor'],
    url: () => '/v1/links',
    body: { identities: PAIR, reason: 'both are hers' },
  },
  'POST /v1/links/:id/retract': {
    who: ['supervisor'],
    id: 'link',
    url: (id) => `/v1/links/${id}/retract`,
    body: { reason: 'two people' },
  },
  'POST /v1/link-proposals/:id/confirm': {
    who: ['supervisor'],
    id: 'toConfirm',
    url: (id) => `/v1/link-proposals/${id}/confirm`,
    body: {},
  },
  'POST /v1/link-proposals/:id/reject': {
    who: ['supervisor'],
    id: 'toReject',
    url: (id) => `/v1/link-proposals/${id}/reject`,
    body: {},
  },
  'GET /v1/interactions/:id': { who: READERS, id: 'interaction', url: (id) => `/v1/interactions/${id}` },
  'GET /v1/conversations/:id': {
    who: READERS,
    id: 'conversation',
    url: (id) => `/v1/conversations/${id}?include=body`,
  },
  'POST /v1/conversations/:id/notes': {
    who: ['agent', 'supervisor'],
    id: 'conversation',
    url: (id) => `/v1/conversations/${id}/notes`,
    body: { text: 'written by the table' },
    status: 201,
  },
  'POST /v1/conversations/:id/commitments': {
    who: ['agent', 'supervisor'],
    id: 'conversation',
    url: (id) => `/v1/conversations/${id}/commitments`,
    body: { text: 'promised by the table', dueAt: '2026-03-02T09:15:00Z' },
    status: 201,
  },
  'POST /v1/commitments/:id/keep': {
    who: ['agent', 'supervisor'],
    id: 'toKeep',
    url: (id) => `/v1/commitments/${id}/keep`,
    body: {},
  },
  'POST /v1/commitments/:id/withdraw': {
    who: ['agent', 'supervisor'],
    id: 'toWithdraw',
    url: (id) => `/v1/commitments/${id}/withdraw`,
    body: { reason: 'the table says so' },
  },
  'GET /v1/receipts/:receipt': {
    who: ['integration', ...READERS],
    id: 'receipt',
    url: (id) => `/v1/receipts/${id}`,
  },
  'GET /v1/history/events': {
    who: ['analyst'],
    id: 'customer',
    url: (id) => `/v1/history/events?customer=${id}`,
  },
  'POST /v1/customers/:id/erase': {
    who: ['supervisor'],
    id: 'toErase',
    url: (id) => `/v1/customers/${id}/erase`,
    body: { reason: 'art-17' },
  },
  'GET /v1/erasures/:id': { who: ['supervisor'], id: 'erasure', url: (id) => `/v1/erasures/${id}` },
  'GET /livez': open('/livez'),
  'GET /readyz': open('/readyz'),
  'GET /metrics': open('/metrics'),
  'GET /docs': open('/docs'),
  'GET /docs/*': open('/docs/openapi.json'),
  'GET /docs-yaml': open('/docs-yaml'),
  'ALL /v1/webhooks/:account': open('/v1/webhooks/nobody'),
  'ALL /v1/forms/:account': open('/v1/forms/nobody'),
  'GET /v1/projects/:writeKey/settings': open('/v1/projects/nobody/settings'),
  ...Object.fromEntries(
    SEGMENT.flatMap((path) => [
      [`POST /v1/${path}`, open(`/v1/${path}`)],
      [`OPTIONS /v1/${path}`, open(`/v1/${path}`)],
    ]),
  ),
};

/** The handlers that let everybody in: each proves its caller otherwise, or has nothing to hide. */
const PUBLIC_HANDLERS = [
  'HealthController.live',
  'HealthController.ready',
  'HealthController.text',
  'SegmentController.call',
  'SegmentController.preflight',
  'SegmentController.projectSettings',
  'WebhookController.form',
  'WebhookController.webhook',
];

const guarded = Object.entries(TABLE).filter(([, { who }]) => who !== 'open');
const withIds = guarded.filter(([, { id }]) => id !== undefined);

/** What an invented person is called and says: nobody without `pii` may come to see any of it. */
const CANARIES = [
  'lucia.canary',
  '+34600998877',
  'Lucía Canaria',
  'parrot feather',
  'a nest of straw',
  'canary-msg-1',
  'a promised perch',
];

describe('the routes of the hub', () => {
  let dataDir: string;
  let app: NestFastifyApplication;
  let parts: HubParts;
  let projector: Projector;
  const found = new Set<string>();
  const keyOf = {} as Record<Role, string>;
  let seeing: string;
  let blindAgent: string;
  const own = {} as Record<Kind, string>;
  const foreign = {} as Record<Kind, string>;

  const ask = async (method: string, url: string, key?: string, body?: object) => {
    const answer = await app.inject({
      method: method as 'GET',
      url,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      // A live stream has headers, and no end.
      payloadAsStream: true,
    });
    const type = String(answer.headers['content-type']);
    const chunks: Buffer[] = [];
    const stream = answer.stream();
    if (type.startsWith('text/event-stream')) stream.destroy();
    else for await (const chunk of stream) chunks.push(chunk as Buffer);
    return { status: answer.statusCode, text: Buffer.concat(chunks).toString('utf8') };
  };
  const take = (name: string, route: Route, id: string, key?: string) =>
    ask(name.split(' ')[0]!, route.url(id), key, route.body);
  const idFor = ({ id }: Route, of = own): string => (id === undefined ? '' : of[id]);
  const json = <Body>({ text }: { text: string }): Body => JSON.parse(text) as Body;

  let following = Promise.resolve();
  const follow = () =>
    (following = following.then(async () => {
      await projector.catchUp();
      parts.progress.advance({ position: await projector.checkpoint(), corrected: [] });
    }));
  const fold = async () => {
    await app.get(AccessTrail, { strict: false }).flush();
    await follow();
  };

  /** What the rules do where they dare not link. */
  const propose = async (tenant: string, ...ends: [Uuid, Uuid]): Promise<Uuid> => {
    const { ids, events } = parts.log;
    const [a, b] = ends.toSorted() as [Uuid, Uuid];
    const link = ids.link(tenant, a, b);
    const data = { link, a, b, rule: 'rules-1', reason: 'conflicting-accounts', evidence: 'identify', confidence: 0.9 };
    const event = { id: randomUUID(), type: 'LinkProposed', schema: 2, tenant, data };
    await events.append(streamId('link', link), [event], 'no_stream');
    return link;
  };

  const tell = async (tenant: string, key: string, of: Record<Kind, string>, reader: string) => {
    const contact = {
      channel: 'email',
      account: 'care@acme.example',
      externalId: 'canary-msg-1',
      kind: 'message',
      threadId: 'canary-msg-1',
      occurredAt: '2025-03-02T09:15:00Z',
      customer: {
        identifiers: [
          { type: 'email', value: 'lucia.canary@example.com', verified: true },
          { type: 'phone', value: '+34600998877' },
        ],
        name: 'Lucía Canaria',
      },
      subject: 'parrot feather',
      text: 'a nest of straw',
    };
    const taken = json<IngestAnswer>(await ask('POST', '/v1/interactions', key, contact));
    await fold();
    of.receipt = of.interaction = taken.results[0]!.receipt!;
    const whole = json<InteractionDto>(await ask('GET', `/v1/interactions/${of.interaction}`, reader));
    of.conversation = whole.conversation;
    of.customer = whole.customer;
    const promise = async () => {
      const made = await ask('POST', `/v1/conversations/${of.conversation}/commitments`, reader, {
        text: 'a promised perch',
      });
      return json<WrittenDownDto>(made).id;
    };
    of.toKeep = await promise();
    of.toWithdraw = await promise();
    await ask('POST', `/v1/conversations/${of.conversation}/notes`, reader, { text: 'a promised perch, noted' });
    const joined = { identities: PAIR, reason: 'both are hers' };
    of.link = json<{ link: string }>(await ask('POST', '/v1/links', reader, joined)).link;
    const told = { purpose: 'marketing', granted: false, evidence: 'told parrot feather on the phone' };
    await ask('POST', `/v1/customers/${of.customer}/consents`, key, told);
    const others = ['one', 'two', 'three'].map((value) => ({ type: 'account', value }));
    const other = { ...CONTACT, externalId: 'o', customer: { identifiers: others } };
    const answer = json<IngestAnswer>(await ask('POST', '/v1/interactions', key, other));
    const [posted] = await parts.log.events.read(streamId('interaction', answer.results[0]!.receipt!));
    const [one, two, three] = (posted!.data as InteractionContent).identities.map(({ identity }) => identity);
    of.toConfirm = await propose(tenant, one!, two!);
    of.toReject = await propose(tenant, one!, three!);
    const forgotten = ['gone', 'going'].map((value) => ({
      ...CONTACT,
      externalId: value,
      customer: { identifiers: [{ type: 'account', value }] },
    }));
    const { results } = json<IngestAnswer>(await ask('POST', '/v1/interactions', key, forgotten));
    await fold();
    const [gone, going] = await Promise.all(
      results.map(async ({ receipt }) =>
        json<InteractionDto>(await ask('GET', `/v1/interactions/${receipt!}`, reader)),
      ),
    );
    of.toErase = going!.customer;
    const erased = await ask('POST', `/v1/customers/${gone!.customer}/erase`, reader, { reason: 'art-17' });
    of.erasure = json<ErasureDto>(erased).erasure;
    await fold();
  };

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'hilo-routes-'));
    const clock = new SystemClock();
    const logger = silentLogger();
    const settings = readSettings({ HILO_DATA_DIR: dataDir });
    const log = await openSealedEventStore(settings, clock, { program: 'test' });
    const readModel = await openReadModel(settings);
    const keys = SqliteApiKeys.open({ dataDir: ':memory:', clock });
    const accounts = readAccountsFile(undefined, { adapters: channelAdapters(), env: {} });
    const progress = new ProjectionProgress();
    const bus = new EmbeddedInteractionBus({ capacity: settings.busCapacity });
    parts = {
      settings,
      logger,
      clock,
      log,
      bus,
      readModel,
      deletedRows: [],
      progress,
      keys,
      accounts,
      rules: DEFAULT_RULES,
    };
    projector = new Projector(readModel, log.events);
    log.appended!.onAppended(() => void follow());
    const adapter = new FastifyAdapter({ ...httpOptions() });
    adapter.getInstance().addHook('onRoute', ({ method, url }) => {
      const methods = [method].flat();
      if (methods.length > 4) found.add(`ALL ${url}`);
      else for (const one of methods) if (one !== 'HEAD') found.add(`${one} ${url}`);
    });
    app = await NestFactory.create<NestFastifyApplication>(HubModule.register(parts, { edge: true }), adapter, {
      logger: false,
      bodyParser: false,
      abortOnError: false,
    });
    registerRawBody(adapter.getInstance());
    hardenHttp(app, () => false);
    serveDocs(app, logger, () => false);
    await app.init();
    await adapter.getInstance().ready();

    for (const role of ROLES) keyOf[role] = (await keys.create({ tenant: 'acme', role })).key;
    seeing = (await keys.create({ tenant: 'acme', role: 'analyst', scopes: ['pii'] })).key;
    blindAgent = (await keys.create({ tenant: 'acme', role: 'agent', scopes: [] })).key;
    const elsewhere = (await keys.create({ tenant: 'globex', role: 'admin' })).key;
    await tell('acme', keyOf.admin, own, keyOf.admin);
    await tell('globex', elsewhere, foreign, elsewhere);
  });

  afterAll(async () => {
    await app.close();
    await parts.keys.close();
    await parts.readModel.close();
    await parts.log.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('are all in the table, and the table has no others', () => {
    expect([...found].toSorted()).toEqual(Object.keys(TABLE).toSorted());
  });

  it('are open to everybody only where it was agreed, and each says who may come in', () => {
    const handlers = [...app.get(ModulesContainer).values()].flatMap(({ controllers }) =>
      [...controllers.values()].flatMap(({ metatype }) => {
        const type = metatype as { name: string; prototype: Record<string, object> };
        return Object.getOwnPropertyNames(type.prototype)
          .map((name) => ({ type, name, handler: type.prototype[name]! }))
          .filter(({ handler }) => Reflect.hasMetadata(HANDLER_METADATA, handler));
      }),
    );
    const says = (key: string) =>
      handlers
        .filter(({ handler, type }) => Reflect.hasMetadata(key, handler) || Reflect.hasMetadata(key, type))
        .map(({ type, name }) => `${type.name}.${name}`);
    expect(says(PUBLIC_METADATA).toSorted()).toEqual(PUBLIC_HANDLERS);
    expect([...says(PUBLIC_METADATA), ...says(ROLES_METADATA)].toSorted()).toEqual(
      handlers.map(({ type, name }) => `${type.name}.${name}`).toSorted(),
    );
  });

  it.each(guarded)('%s lets in who may, and nobody else', async (name, route) => {
    const answers: Record<string, number> = {};
    for (const role of ROLES) answers[role] = (await take(name, route, idFor(route), keyOf[role])).status;
    const expected = ROLES.map((role) => [
      role,
      role === 'admin' || route.who.includes(role) ? (route.status ?? 200) : 403,
    ]);
    expect(answers).toEqual(Object.fromEntries(expected));
    const unknown = `hilo_abcdefgh_${'A'.repeat(43)}`;
    for (const key of [undefined, unknown, 'e30.e30.e30', '']) {
      const { status, text } = await take(name, route, idFor(route), key);
      expect([key, status]).toEqual([key, 401]);
      for (const canary of CANARIES) expect(text).not.toContain(canary);
    }
  });

  it.each(withIds)("%s answers another tenant's ids, malformed and unknown ones alike", async (name, route) => {
    const shapes = [];
    for (const id of [
      idFor(route, foreign),
      '00000000-0000-8000-8000-000000000000',
      '00000000-0000-8000-8000-00000000000',
      idFor(route).toUpperCase(),
      `${idFor(route)}%00`,
      'nonsense',
      '%27%20or%201=1--',
      '1',
    ]) {
      const { status, text } = await take(name, route, id, keyOf.admin);
      const { instance: _instance, ...shape } = json<Record<string, unknown>>({ text });
      shapes.push({ answered: status, ...shape });
    }
    expect(shapes).toEqual(
      shapes.map(() => ({
        answered: 404,
        type: 'urn:hilo:problem:not-found',
        title: 'Not found',
        status: 404,
        code: 'NOT_FOUND',
        detail: 'there is nothing at this address',
      })),
    );
  });

  it("keeps another tenant's people out of what is found and streamed", async () => {
    const nobody = await ask('GET', '/v1/customers?identifier=email:nobody@example.com', keyOf.admin);
    expect(json(nobody)).toEqual({ items: [] });
    const found = json<CustomerListDto>(
      await ask('GET', '/v1/customers?identifier=email:lucia.canary@example.com', keyOf.admin),
    );
    expect(found.items.map(({ id }) => id)).toEqual([own.customer]);
    const history = await ask('GET', '/v1/history/events', keyOf.admin);
    expect(history.text).toContain(own.customer);
    for (const id of Object.values(foreign)) expect(history.text).not.toContain(id);
  });

  it.each(guarded.filter(([name, { who }]) => name.startsWith('GET') && who.includes('analyst')))(
    '%s shows no personal data without pii',
    async (name, route) => {
      for (const key of [keyOf.analyst, blindAgent]) {
        const { status, text } = await take(name, route, idFor(route), key);
        expect(status).toBe(key === blindAgent && !route.who.includes('agent') ? 403 : 200);
        for (const canary of CANARIES) expect(text).not.toContain(canary);
      }
    },
  );

  it('shows personal data with pii, in the same places', async () => {
    await ask('POST', `/v1/links/${own.link}/retract`, keyOf.admin, { reason: 'her phone is her own' });
    await fold();
    for (const key of [keyOf.agent, seeing]) {
      const customer = json<CustomerDto>(await ask('GET', `/v1/customers/${own.customer}`, key));
      expect(customer).toMatchObject({ name: 'Lucía Canaria', identities: [{ value: 'lucia.canary@example.com' }] });
      expect(customer).not.toHaveProperty('masked');
      expect(customer.consents[0]).toMatchObject({ evidence: 'told parrot feather on the phone' });
      const timeline = await ask('GET', `/v1/customers/${own.customer}/timeline?include=body&kind=message`, key);
      expect(json<TimelinePageDto>(timeline).items[0]).toMatchObject({ body: { text: 'a nest of straw' } });
      const whole = await ask('GET', `/v1/interactions/${own.interaction}`, key);
      expect(json<InteractionDto>(whole)).toMatchObject({ name: 'Lucía Canaria', subject: 'parrot feather' });
    }
    const masked = json<CustomerDto>(await ask('GET', `/v1/customers/${own.customer}`, keyOf.analyst));
    expect(masked).toMatchObject({
      masked: true,
      interactions: 1,
      identities: [{ id: own.customer, value: 'l***@***.com' }],
    });
    const [denial] = masked.consents;
    expect(denial).toMatchObject({ purpose: 'marketing', granted: false, source: 'stated', identity: own.customer });
    expect(denial).not.toHaveProperty('evidence');
    const history = await ask('GET', '/v1/history/events', seeing);
    for (const canary of CANARIES) expect(history.text).toContain(canary);
  });

  it('hand out everything about a person to a supervisor with pii alone, and write it down', async () => {
    const blind = (await parts.keys.create({ tenant: 'acme', role: 'supervisor', scopes: [] })).key;
    const url = `/v1/customers/${own.customer}/data`;
    const refused = await ask('GET', url, blind);
    expect(json(refused)).toMatchObject({ status: 403, code: 'ACCESS.FORBIDDEN' });
    await fold();
    const { text } = await ask('GET', url, keyOf.supervisor);
    for (const canary of CANARIES) expect(text).toContain(canary);
    await fold();
    const log = json<AccessLogDto>(await ask('GET', `/v1/customers/${own.customer}/access-log`, keyOf.supervisor));
    expect(log.items.filter(({ saw }) => saw?.includes('data')).length).toBeGreaterThan(0);
    expect(log.items[0]).toMatchObject({ saw: ['data'], by: (await parts.keys.verify(keyOf.supervisor))!.keyId });
  });

  it('streams masked entries to who lacks pii', async () => {
    const stream = await app.inject({
      url: `/v1/customers/${own.customer}/timeline/stream`,
      headers: { authorization: `Bearer ${blindAgent}`, 'last-event-id': '0' },
      payloadAsStream: true,
    });
    let text = '';
    for await (const chunk of stream.stream()) {
      text += String(chunk);
      if (text.includes('event: entry')) break;
    }
    expect(text).toContain(own.interaction);
    for (const canary of CANARIES) expect(text).not.toContain(canary);
  });

  describe('write down who looked at whom', () => {
    const log = async (query = '') => {
      await fold();
      return json<AccessLogDto>(await ask('GET', `/v1/customers/${own.customer}/access-log${query}`, keyOf.supervisor));
    };

    it('once for several looks, with parts and reason, newest first', async () => {
      await fold();
      const { keyId } = (await parts.keys.verify(seeing))!;
      await ask('GET', `/v1/customers/${own.customer}`, seeing);
      await ask('GET', `/v1/customers/${own.customer}/timeline`, seeing);
      await ask('GET', `/v1/customers/${own.customer}/timeline`, seeing);
      const { items } = await log();
      expect(items[0]).toMatchObject({
        what: 'viewed',
        by: keyId,
        saw: ['header', 'timeline'],
        reads: 3,
        customer: own.customer,
      });
      await app.inject({
        url: `/v1/interactions/${own.interaction}`,
        headers: { authorization: `Bearer ${seeing}`, 'hilo-reason': 'complaint' },
      });
      expect((await log()).items[0]).toMatchObject({ saw: ['interaction'], reason: 'complaint', reads: 1 });
    });

    it('and what was revealed, before it is shown', async () => {
      const reveal = (body: object, key = keyOf.analyst) =>
        ask('POST', `/v1/customers/${own.customer}/reveal`, key, body);
      const shown = await reveal({ field: 'identifier', identity: own.customer, reason: 'fraud-check' });
      expect(json(shown)).toMatchObject({ value: 'lucia.canary@example.com', field: 'identifier' });
      const { items } = await log();
      expect(items[0]).toMatchObject({
        what: 'revealed',
        field: 'identifier',
        identity: own.customer,
        reason: 'fraud-check',
      });
      expect(JSON.stringify(items)).not.toMatch(/canary|Lucía/);
      expect((await reveal({ field: 'birthDate', reason: 'x' })).status).toBe(404);
      expect((await reveal({ field: 'identifier', identity: foreign.customer, reason: 'x' })).status).toBe(404);
      for (const wrong of [
        {},
        [],
        { field: 'name' },
        { field: 'text', reason: 'x' },
        { field: 'name', reason: 'Ana has called' },
        { field: 'identifier', reason: 'x' },
        { field: 'name', identity: own.customer, reason: 'x' },
        { field: 'name', reason: 'x', more: 1 },
      ])
        expect([wrong, (await reveal(wrong)).status]).toEqual([wrong, 422]);
    });

    it('page by page, each entry once', async () => {
      const whole = (await log('?limit=100')).items;
      const paged = [];
      for (let next: string | undefined = ''; next !== undefined;) {
        const page: AccessLogDto = await log(`?limit=2${next === '' ? '' : `&before=${next}`}`);
        paged.push(...page.items);
        next = page.next;
      }
      expect(whole.length).toBeGreaterThan(3);
      expect(paged).toEqual(whole);
      const odd = await ask('GET', `/v1/customers/${own.customer}/access-log?before=x`, keyOf.supervisor);
      expect(odd.status).toBe(400);
    });

    it('in events that name nobody outside their data', async () => {
      await fold();
      for await (const batch of parts.log.events.readAll({
        after: 0,
        types: ['TimelineViewed', 'PersonalDataRevealed'],
      }))
        for (const { data, ...outside } of batch) {
          expect(outside.stream).toMatch(/^access-/);
          expect(JSON.stringify(outside)).not.toContain(own.customer);
          for (const canary of CANARIES) expect(JSON.stringify(data)).not.toContain(canary);
        }
    });
  });
});
