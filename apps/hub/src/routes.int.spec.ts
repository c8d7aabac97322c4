import { ModulesContainer } from '@nestjs/core';
import { PUBLIC_METADATA, ROLES, ROLES_METADATA } from '#libs/access';
import type { AccessLogDto } from '#libs/queries/access-log/get-access-log.handler.js';
import type { CustomerDto, CustomerListDto } from '#libs/queries/customers/customer.dto.js';
import type { InteractionDto } from '#libs/queries/interactions/get-interaction.handler.js';
import type { TimelinePageDto } from '#libs/queries/timeline/timeline.dto.js';
import { AskedHub, CANARIES, json } from './asked-hub.contract.js';
import { TABLE, type Route } from './route-table.contract.js';

/** What Nest marks a handler of a route with. */
const HANDLER_METADATA = 'method';
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

describe('the routes of the hub', () => {
  const hub = new AskedHub();
  const { own, foreign, keyOf, ask, take, fold } = hub;
  const idFor = ({ id }: Route, of = own): string => (id === undefined ? '' : of[id]);

  it('are all in the table, and the table has no others', () => {
    expect([...hub.routes].toSorted()).toEqual(Object.keys(TABLE).toSorted());
  });

  it('are open to everybody only where it was agreed, and each says who may come in', () => {
    const handlers = [...hub.app.get(ModulesContainer).values()].flatMap(({ controllers }) =>
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
      for (const key of [keyOf.analyst, hub.blindAgent]) {
        const { status, text } = await take(name, route, idFor(route), key);
        expect(status).toBe(key === hub.blindAgent && !route.who.includes('agent') ? 403 : 200);
        for (const canary of CANARIES) expect(text).not.toContain(canary);
      }
    },
  );

  it('shows personal data with pii, in the same places', async () => {
    await ask('POST', `/v1/links/${own.link}/retract`, keyOf.admin, { reason: 'her phone is her own' });
    await fold();
    for (const key of [keyOf.agent, hub.seeing]) {
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
    const history = await ask('GET', '/v1/history/events', hub.seeing);
    for (const canary of CANARIES) expect(history.text).toContain(canary);
  });

  it('hand out everything about a person to a supervisor with pii alone, and write it down', async () => {
    const blind = (await hub.parts.keys.create({ tenant: 'acme', role: 'supervisor', scopes: [] })).key;
    const url = `/v1/customers/${own.customer}/data`;
    const refused = await ask('GET', url, blind);
    expect(json(refused)).toMatchObject({ status: 403, code: 'ACCESS.FORBIDDEN' });
    await fold();
    const { text } = await ask('GET', url, keyOf.supervisor);
    for (const canary of CANARIES) expect(text).toContain(canary);
    await fold();
    const log = json<AccessLogDto>(await ask('GET', `/v1/customers/${own.customer}/access-log`, keyOf.supervisor));
    expect(log.items.filter(({ saw }) => saw?.includes('data')).length).toBeGreaterThan(0);
    expect(log.items[0]).toMatchObject({ saw: ['data'], by: (await hub.parts.keys.verify(keyOf.supervisor))!.keyId });
  });

  it('streams masked entries to who lacks pii', async () => {
    const stream = await hub.app.inject({
      url: `/v1/customers/${own.customer}/timeline/stream`,
      headers: { authorization: `Bearer ${hub.blindAgent}`, 'last-event-id': '0' },
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
});
