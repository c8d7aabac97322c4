import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import type { LinkPreviewDto } from '#libs/queries/links/links.dto.js';
import type { HubClient } from './hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory } from './hub-process.js';
import { eventually } from './waiting.js';

jest.setTimeout(300_000);
afterAll(cleanUp);

const ADDRESSES = ['email:ida.rotschwanz@example.com', 'phone:+34600771001', 'account:NEST-7710'];
const WORDS = ['rotschwanz', '600771001', 'nest-7710', 'mag keine anrufe', 'ida r.', 'ruft zurück'];

let serial = 0;
const identifierOf = (text: string) => {
  const [type, value] = text.split(/:(.*)/s, 2);
  return { type, value };
};
const contact = (identifiers: string[], over: object = {}): Record<string, unknown> => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `erasure-${++serial}`,
  threadId: `thread-${serial}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2025, 2, 1, 0, 0, serial)).toISOString(),
  customer: { identifiers: identifiers.map(identifierOf), name: 'Ida R.' },
  text: `mag keine Anrufe (${serial})`,
  ...over,
});

/** Which of the words stand in clear in a text. */
const wordsIn = (text: string): string[] => WORDS.filter((word) => text.toLowerCase().includes(word));

/** Words by file of the data directory. */
const wordsInFiles = (dataDir: string): Record<string, string[]> =>
  Object.fromEntries(
    readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(dataDir, join(entry.parentPath, entry.name)))
      .map((name) => [name, wordsIn(readFileSync(join(dataDir, name)).toString('utf8'))] as const)
      .filter(([, found]) => found.length > 0),
  );

interface Clients {
  sender: HubClient;
  agent: HubClient;
  supervisor: HubClient;
}

const clientsOf = async (hub: HubProcess): Promise<Clients> => ({
  sender: await hub.client('integration'),
  agent: await hub.client('agent'),
  supervisor: await hub.client('supervisor'),
});

/** A customer known by three addresses, with what people wrote, promised and allowed. */
const ida = async ({ sender, agent, supervisor }: Clients) => {
  const said = [
    contact([ADDRESSES[0]!, ADDRESSES[2]!]),
    // A handle is a weak key: it is linked to nobody, and yet said of nobody else.
    contact([ADDRESSES[1]!, 'handle:ida.rotschwanz.7'], { channel: 'sms' }),
    contact([ADDRESSES[2]!], { channel: 'web' }),
  ];
  const results = await sender.take(said);
  await sender.take([{ ...said[0], revision: 2, text: 'mag keine Anrufe mehr' }]);
  const profile = { source: 'crm', externalId: 'Rotschwanz-1', identifiers: [identifierOf(ADDRESSES[0]!)], name: 'Ida Rotschwanz' }; // prettier-ignore
  const [imported] = await sender.take([profile], '/v1/profiles');
  await agent.customers(ADDRESSES[0]!, imported!.position);
  const linked = await supervisor.post<{ link: string; position: number }>('/v1/links', {
    identities: ADDRESSES.slice(0, 2),
    reason: 'Ida R. said so',
  });
  const customer = await agent.customer(ADDRESSES[0]!, linked.body.position);
  const [first] = (await agent.timeline(customer.id)).items;
  const wrote = await agent.post(`/v1/conversations/${first!.conversation}/notes`, { text: 'Ida R. ruft zurück' });
  expect(wrote.status).toBe(201);
  const told = await supervisor.post(`/v1/customers/${customer.id}/consents`, {
    purpose: 'marketing',
    granted: false,
    evidence: 'mag keine Anrufe',
  });
  expect(told.status).toBeLessThan(300);
  return { customer, said, receipts: results.map(({ receipt }) => receipt!), link: linked.body.link };
};

describe('an erasure', () => {
  it('case 12: of a customer known by three addresses leaves nothing of them on timeline, search, export and log', async () => {
    const dataDir = temporaryDirectory();
    const hub = await HubProcess.start({ dataDir, env: { HILO_LOG_LEVEL: 'trace' } });
    const clients = await clientsOf(hub);
    const { sender, agent, supervisor } = clients;
    const { customer, said, receipts, link } = await ida(clients);
    expect(customer.identities.map(({ type }) => type).toSorted()).toEqual(['account', 'email', 'phone', 'profile']);
    const [other] = await sender.take([contact(['email:other@example.com'], { text: 'of another', customer: { identifiers: [identifierOf('email:other@example.com')] } })]); // prettier-ignore
    // Other content under a revision that is there: its bytes are parked.
    const [parked] = await sender.take([{ ...said[1], text: 'mag keine Anrufe, sagt sie' }]);
    expect(parked).toMatchObject({ status: 'parked' });
    const stream = await agent.stream(customer.id);
    expect(wordsInFiles(dataDir)).toHaveProperty(['read-model.db-wal']);

    for (const [body, status] of [
      [{ reason: 'Ida R. asked' }, 422],
      [{}, 422],
    ] as const)
      // prettier-ignore
      expect((await supervisor.post(`/v1/customers/${customer.id}/erase`, body)).status).toBe(status);
    expect((await agent.post(`/v1/customers/${customer.id}/erase`, { reason: 'art-17' })).status).toBe(403);

    // Asked for twice at once, by two of its ids: it is one erasure.
    const [erased, twice] = await Promise.all(
      [customer.id, customer.identities[1]!.id].map((id) =>
        supervisor.post<ErasureDto>(`/v1/customers/${id}/erase`, { reason: 'art-17' }),
      ),
    );
    expect(twice!.body.erasure).toBe(erased!.body.erasure);
    expect(erased!).toMatchObject({
      status: 200,
      body: {
        status: 'completed',
        reason: 'art-17',
        contacts: 3,
        parked: 1,
        files: expect.arrayContaining(['events.db', 'identity.db', 'keys.db', 'read-model.db']) as unknown,
      },
    });
    const certificate = erased!.body;
    expect(certificate.links).toBeGreaterThanOrEqual(3);
    expect(certificate.identities.map(({ type }) => type).toSorted()).toEqual(['account', 'email', 'handle', 'phone', 'profile']); // prettier-ignore
    expect(certificate.identities.filter(({ keyDestroyed }) => keyDestroyed).length).toBeGreaterThanOrEqual(3);
    // It can be fetched again, and saying it again does nothing.
    expect(await supervisor.mustGet(`/v1/erasures/${certificate.erasure}`)).toEqual(certificate);
    for (const { identity } of certificate.identities)
      expect((await supervisor.post(`/v1/customers/${identity}/erase`, { reason: 'again' })).body).toEqual(certificate);
    expect((await agent.get(`/v1/erasures/${certificate.erasure}`)).status).toBe(403);

    // Nobody is found by any of the addresses, and every id says what became of it.
    for (const address of [...ADDRESSES, 'handle:ida.rotschwanz.7']) expect(await agent.customers(address)).toEqual([]);
    for (const { identity } of certificate.identities)
      for (const path of ['', '/timeline', '/identities', '/timeline?asOfPosition=5', '/timeline/stream']) {
        const answer = await agent.get(`/v1/customers/${identity}${path}`);
        expect([path, answer.status, answer.body]).toEqual([
          path,
          410,
          expect.objectContaining({ code: 'CUSTOMER.ERASED', detail: expect.stringContaining(certificate.erasure) as unknown }), // prettier-ignore
        ]);
      }
    for (const receipt of receipts) expect((await agent.get(`/v1/interactions/${receipt}`)).status).toBe(410);
    expect((await agent.receipt(receipts[0]!)).status).toBe('corrected');
    expect((await supervisor.post('/v1/links', { identities: [certificate.identities[0]!.identity, 'email:other@example.com'], reason: 'x' })).status).toBe(410); // prettier-ignore
    const preview = { link: [certificate.identities[0]!.identity, 'email:other@example.com'] };
    expect((await supervisor.post<LinkPreviewDto>('/v1/links/preview', preview)).status).toBe(410);
    expect((await supervisor.post(`/v1/links/${link}/retract`, { reason: 'x' })).status).toBe(410);
    await stream.ended;
    // Who had looked stays known.
    await eventually(async () => {
      const looked = await supervisor.mustGet<{ items: object[] }>(`/v1/customers/${customer.id}/access-log`);
      expect(looked.items.length).toBeGreaterThan(0);
    });
    // The other customer has lost nothing.
    expect((await agent.interaction(other!.receipt!)).body).toMatchObject({ text: 'of another' });

    expect(wordsInFiles(dataDir)).toEqual({});
    const { text: history } = await (await hub.client('admin')).get('/v1/history/events');
    const { text: metrics } = await agent.get('/metrics');
    expect(history).toContain('"erased":true');
    expect(wordsIn(`${history}${metrics}${hub.stdout}${hub.stderr}`)).toEqual([]);

    // Whoever comes under the same addresses starts afresh, under ids that appear nowhere beside the old ones.
    const again = await sender.take([contact(ADDRESSES.slice(0, 2), { text: 'a fresh start' })]);
    const fresh = await agent.customer(ADDRESSES[0]!, again[0]!.position);
    expect(fresh).toMatchObject({ interactions: 1, profiles: [], consents: [], openCommitments: 0 });
    const old = new Set(certificate.identities.map(({ identity }) => identity));
    for (const { id } of fresh.identities) expect(old.has(id)).toBe(false);
    expect((await agent.get(`/v1/customers/${customer.id}`)).status).toBe(410);
    // A redelivery of what was erased is still known as that: it brings nothing back.
    expect(await sender.take([said[1]!])).toMatchObject([
      { status: expect.stringMatching(/duplicate|parked/) as unknown },
    ]);
    expect((await agent.customer(ADDRESSES[1]!)).id).toBe(fresh.id);

    expect((await hub.stop()).code).toBe(0);
    const rebuilt = await hilo(dataDir, 'rebuild');
    expect(rebuilt.code).toBe(0);
    const { code, stdout } = await hilo(dataDir, 'reconcile');
    expect([code, stdout]).toEqual([0, expect.stringContaining('email') as unknown]);
    const then = await HubProcess.start({ dataDir });
    const reader = await then.client('agent');
    expect(await reader.customer(ADDRESSES[0]!)).toMatchObject({ id: fresh.id, interactions: 1 });
    expect((await reader.get(`/v1/customers/${customer.id}`)).status).toBe(410);
    await then.stop();
  });

  it('that a crash cuts off comes to its end after the next start', async () => {
    for (const delayMs of [0, 5, 15, 40, 80]) {
      const dataDir = temporaryDirectory();
      const hub = await HubProcess.start({ dataDir });
      const clients = await clientsOf(hub);
      const { customer } = await ida(clients);
      const asked = clients.supervisor
        .post(`/v1/customers/${customer.id}/erase`, { reason: 'art-17' })
        .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await hub.kill();
      await asked;

      const next = await HubProcess.start({ dataDir });
      const supervisor = await next.client('supervisor');
      // Begun or not, it is asked for again, as whoever got no answer would.
      const { status, body } = await supervisor.post<ErasureDto>(`/v1/customers/${customer.id}/erase`, {
        reason: 'art-17',
      });
      expect([200, 202]).toContain(status);
      await eventually(async () =>
        expect(await supervisor.mustGet(`/v1/erasures/${body.erasure}`)).toMatchObject({
          status: 'completed',
          contacts: 3,
        }),
      );
      await next.stop();
      expect(wordsInFiles(dataDir)).toEqual({});
      expect(existsSync(join(dataDir, 'read-model.db'))).toBe(true);
    }
  });
});
