import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import { contact, nextNumber } from './contacts.js';
import type { Role } from './hub-process.js';
import { StaffedHub, expectProblem } from './staffed-hub.js';
import { eventually } from './waiting.js';

jest.setTimeout(300_000);

describe('a hub and those who work with it', () => {
  const hub = new StaffedHub();
  const { tell } = hub;

  it('says at its first start where it is and who may come in', () => {
    expect(hub.process.stdout).toMatch(/^Hilo is listening on http:\/\/localhost:\d+$/m);
    expect(hub.process.stdout).toMatch(/^API page: http:\/\/localhost:\d+\/docs$/m);
    const file = join(hub.process.dataDir, 'api-keys.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { demo } = JSON.parse(readFileSync(file, 'utf8')) as { demo: Record<Role, string> };
    expect(Object.keys(demo)).toEqual(['integration', 'agent', 'supervisor', 'analyst', 'admin']);
    for (const [role, key] of Object.entries(demo)) expect(hub.process.stdout).toContain(`${role.padEnd(12)} ${key}`);
  });

  it('serves the API page, its document, and what a supervisor of processes asks', async () => {
    const anyone = await hub.process.client({ key: undefined });
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
      id: `event-${nextNumber()}`,
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
      const first = await hub.sender.post<IngestAnswer>('/v1/interactions', sent, type);
      expect([first.status, first.body.results.length]).toEqual([202, count]);
      for (const { status, receipt, position } of first.body.results) {
        expect(status).toBe('recorded');
        await eventually(async () =>
          expect(await hub.sender.receipt(receipt!)).toEqual({ receipt, status: 'recorded', position, visible: true }),
        );
      }
      const again = await hub.sender.post<IngestAnswer>('/v1/interactions', sent, type);
      expect(again.body.results).toEqual(first.body.results.map((result) => ({ ...result, status: 'duplicate' })));
    });

    it('the good ones of a batch, and says of the bad one where it is wrong', async () => {
      const answer = await hub.sender.post<IngestAnswer>('/v1/interactions', [
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
      const none = await hub.sender.post('/v1/interactions', [{}, {}]);
      expectProblem(none, 422, 'INGEST.REJECTED');
    });

    it.each<[string, string, unknown, number, string]>([
      ['XML', 'application/xml', '<x/>', 415, 'INGEST.UNSUPPORTED_TYPE'],
      ['half an object', 'application/json', '{', 400, 'REQUEST.NOT_JSON'],
      ['1001 items', 'application/json', Array.from({ length: 1001 }, () => ({})), 413, 'INGEST.TOO_MANY'],
    ])('not %s', async (_name, type, body, status, code) => {
      const answer = await hub.sender.post('/v1/interactions', body, type);
      expect(answer.body).toMatchObject({ status, code });
      expectProblem(answer, status, code);
    });

    it('other content under the same id aside, with a receipt that says why', async () => {
      const said = contact({ text: 'one thing' });
      const [first] = await tell(said);
      const [other] = await hub.sender.take({ ...said, text: 'another thing' });
      expect(other).toMatchObject({ status: 'parked', error: { code: 'INGEST.PARKED' } });
      expect(other!.receipt).not.toBe(first!.receipt);
      expect(await hub.sender.receipt(other!.receipt!)).toEqual({
        receipt: other!.receipt,
        status: 'parked',
        reason: expect.stringMatching(/same externalId/) as unknown,
        visible: false,
      });
      expect(await hub.reader.interaction(first!.receipt!)).toMatchObject({ body: { text: 'one thing' }, revision: 1 });
      // The timeline's own contact stays, and so does its receipt.
      expect(await hub.sender.receipt(first!.receipt!)).toMatchObject({
        status: 'recorded',
        position: first!.position,
      });
    });
  });
});
