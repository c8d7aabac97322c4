import type { AccessLogDto } from '#libs/queries/access-log/get-access-log.handler.js';
import { AskedHub, CANARIES, json } from './asked-hub.contract.js';

describe('the routes of the hub', () => {
  const hub = new AskedHub();
  const { own, foreign, keyOf, ask, fold } = hub;

  describe('write down who looked at whom', () => {
    const log = async (query = '') => {
      await fold();
      return json<AccessLogDto>(await ask('GET', `/v1/customers/${own.customer}/access-log${query}`, keyOf.supervisor));
    };

    it('once for several looks, with parts and reason, newest first', async () => {
      await fold();
      const { keyId } = (await hub.parts.keys.verify(hub.seeing))!;
      await ask('GET', `/v1/customers/${own.customer}`, hub.seeing);
      await ask('GET', `/v1/customers/${own.customer}/timeline`, hub.seeing);
      await ask('GET', `/v1/customers/${own.customer}/timeline`, hub.seeing);
      const { items } = await log();
      expect(items[0]).toMatchObject({
        what: 'viewed',
        by: keyId,
        saw: ['header', 'timeline'],
        reads: 3,
        customer: own.customer,
      });
      await hub.app.inject({
        url: `/v1/interactions/${own.interaction}`,
        headers: { authorization: `Bearer ${hub.seeing}`, 'hilo-reason': 'complaint' },
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
      for await (const batch of hub.parts.log.events.readAll({
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
