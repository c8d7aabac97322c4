import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { ApiKeys, type Caller, type Role } from '#libs/access';
import { AccessModule } from '#libs/access/access.module.js';
import { AccessTrail, type Look } from '#libs/access/trail/access-trail.js';
import { Reasons } from '#libs/access/trail/reasons.js';
import { EventStore, type StoredEvent } from '#libs/event-store';
import { silentLogger } from '#libs/kernel/logging.js';
import { CustomerIdentities } from './customer-identities.port.js';
import { historyLine } from './history-line.js';
import type { HistoryLog } from './history-log.js';
import { HistoryModule } from './history.module.js';
import { sampleEvent, sampleId, sampleLog } from './sample-log.contract.js';

const events: StoredEvent[] = Array.from({ length: 12 }, (_, i) =>
  sampleEvent(i + 1, {
    tenant: i % 3 === 2 ? 'globex' : 'acme',
    data: { channel: i % 2 ? 'phone' : 'email', anchor: sampleId((i % 4) + 1) },
  }),
);
const acme = events.filter(({ tenant }) => tenant === 'acme');
const roles: Record<string, Role> = { analyst: 'analyst', masked: 'analyst', agent: 'agent', admin: 'admin' };

let app: NestFastifyApplication;
const looks: Look[] = [];

const start = async (log: HistoryLog): Promise<void> => {
  looks.length = 0;
  const providers = [
    { provide: EventStore, useValue: log },
    { provide: AccessTrail, useValue: { viewed: (_caller: Caller, look: Look) => void looks.push(look) } },
    { provide: Reasons, useValue: new Reasons(undefined) },
  ];
  @Module({ providers, exports: providers })
  class StoreModule {}
  const keys = {
    verify: (key: string) =>
      roles[key] ? { tenant: 'acme', roles: [roles[key]], pii: key !== 'masked', keyId: key } : undefined,
  };
  const customers: CustomerIdentities = {
    idsInHistory: (tenant, id) =>
      Promise.resolve(tenant === 'acme' && id === sampleId(1) ? [sampleId(1), sampleId(3)] : undefined),
  };
  const testing = await Test.createTestingModule({
    imports: [
      AccessModule.register({ keys: keys as unknown as ApiKeys, logger: silentLogger() }),
      HistoryModule.register({
        imports: [StoreModule],
        customerIdentities: { provide: CustomerIdentities, useValue: customers },
      }),
    ],
  }).compile();
  app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
};

const ask = (query: string, key = 'analyst') =>
  app.inject({ method: 'GET', url: `/v1/history/events${query}`, headers: { authorization: `Bearer ${key}` } });

describe('GET /v1/history/events', () => {
  afterEach(() => app.close());

  it("streams the tenant's own events and no other's, to analysts and admins", async () => {
    await start(sampleLog(events));
    const answer = await ask('');
    expect(answer.body).toBe(acme.map(historyLine).join(''));
    expect(answer.headers).toMatchObject({ 'content-type': 'application/x-ndjson; charset=utf-8', 'hilo-head': '12' });
    expect((await ask('', 'admin')).statusCode).toBe(200);
    expect((await ask('', 'agent')).statusCode).toBe(403);
    expect((await ask('', 'nobody')).statusCode).toBe(401);
  });

  it('shows no personal data to who lacks the scope, by the same filters', async () => {
    const said = sampleEvent(1, {
      type: 'InteractionRecorded',
      data: {
        channel: 'email',
        name: 'Ana Ruiz',
        text: 'secret',
        identities: [{ identity: sampleId(1), type: 'email', value: 'ana@example.com' }],
      },
    });
    for (const raw of [true, false]) {
      await start(sampleLog([{ ...said, tenant: 'acme' }], { raw }));
      const [clear, masked] = [await ask('?channels=email'), await ask('?channels=email', 'masked')];
      expect(clear.body).toContain('ana@example.com');
      expect(JSON.parse(masked.body)).toEqual({
        ...(JSON.parse(clear.body) as object),
        data: { channel: 'email', identities: [{ identity: sampleId(1), type: 'email', value: 'a***@***.com' }] },
      });
      if (raw) await app.close();
    }
  });

  it.each([
    ['?position=4&toPosition=8', acme.filter(({ position }) => position >= 4 && position <= 8)],
    ['?limit=3', acme.slice(0, 3)],
    ['?channels=phone', acme.filter(({ data }) => 'channel' in data && data.channel === 'phone')],
    ['?types=Nothing', []],
    [
      `?customer=${sampleId(1)}`,
      acme.filter(({ data }) => 'anchor' in data && [sampleId(1), sampleId(3)].includes(String(data.anchor))),
    ],
  ])('answers %s', async (query, expected) => {
    await start(sampleLog(events, { raw: true }));
    expect((await ask(query)).body).toBe(expected.map(historyLine).join(''));
  });

  it("writes down who asks for one customer's history, and nobody who asks for all", async () => {
    await start(sampleLog(events));
    await ask('');
    expect(looks).toEqual([]);
    await ask(`?customer=${sampleId(1)}`);
    expect(looks).toEqual([{ customer: sampleId(1), saw: 'history', reason: undefined }]);
    await ask(`?customer=${sampleId(2)}`);
    expect(looks).toHaveLength(1);
  });

  it.each([
    ['?tenant=globex', 422, 'tenant: no such parameter'],
    ['?type=InteractionRecorded', 422, 'type: no such parameter'],
    ['?from=yesterday', 422, 'from: is not an instant'],
    ['?position=first', 422, 'position: is not a whole number'],
    ['?limit=0', 422, 'limit: is not a whole number of at least 1'],
    ['?limit=1&limit=2', 422, 'limit: given more than once'],
    [`?customer=${sampleId(2)}`, 404, 'there is nothing at this address'],
  ])('refuses %s', async (query, status, detail) => {
    await start(sampleLog(events));
    const answer = await ask(query);
    expect(answer.statusCode).toBe(status);
    expect(answer.json<{ detail: string }>().detail).toContain(detail);
  });

  it('reads no further when the client has gone', async () => {
    let read = 0;
    let ended: () => void;
    const over = new Promise<void>((resolve) => (ended = resolve));
    async function* endless() {
      try {
        for (;;) {
          await new Promise((resolve) => setImmediate(resolve));
          read += 1;
          yield [sampleEvent(read, { data: { text: 'x'.repeat(100_000) } })];
        }
      } finally {
        ended();
      }
    }
    await start({ head: () => Promise.resolve(1_000_000), readAll: endless });
    await app.listen(0, '127.0.0.1');
    const url = `${await app.getUrl()}/v1/history/events`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { headers: { authorization: 'Bearer analyst' } }, resolve).on('error', reject);
    });
    // Nobody has read the answer yet: what fits into the socket's buffers is sent, and then the log waits.
    let atRest: number;
    do {
      atRest = read;
      await sleep(500);
    } while (read !== atRest);
    response.destroy();
    await over;
    expect(read).toBeLessThan(atRest + 3);
  });
});
