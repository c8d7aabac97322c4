import { contact, from } from './contacts.js';
import type { HubClient } from './hub-client.js';
import { hilo, type Role } from './hub-process.js';
import { NOBODY, StaffedHub } from './staffed-hub.js';

jest.setTimeout(300_000);

describe('a hub and those who work with it', () => {
  const hub = new StaffedHub();
  const { tell } = hub;

  describe('keeps tenants apart', () => {
    it('by answering about the ids of others as about ids that never were', async () => {
      const keys: Partial<Record<Role, string>> = {};
      for (const role of ['integration', 'supervisor', 'analyst', 'admin'] as const) {
        const made = await hilo(hub.process.dataDir, 'keys', 'create', '--tenant', 'other', '--role', role);
        expect(made.code).toBe(0);
        keys[role] = made.stdout.trim();
      }
      const [theirs, stranger] = [
        await hub.process.client({ key: keys.integration }),
        await hub.process.client({ key: keys.admin }),
      ];
      await tell(contact(from('email:tom@example.com')));
      const said = contact({ ...from('email:shared@example.com'), text: 'of demo', threadId: 'shared-thread' });
      const [ours] = await tell(said);
      const [parked] = await hub.sender.take({ ...said, text: 'of demo, in other words' });
      // The same contact of another tenant is another contact.
      const [others] = await theirs.take({ ...said, text: 'of other' });
      expect(others).toMatchObject({ status: 'recorded' });
      expect(others!.receipt).not.toBe(ours!.receipt);
      const customer = await hub.reader.customer('email:shared@example.com', others!.position);
      const { conversation } = await hub.reader.interaction(ours!.receipt!);

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
        const client = await hub.process.client({ key });
        await expectUnknown(client, (id) => `/v1/customers/${id}`, customer.id);
        await expectUnknown(client, (id) => `/v1/customers/${id}/timeline`, customer.id);
        await expectUnknown(client, (id) => `/v1/customers/${id}/timeline?include=body&limit=5`, customer.id);
        await expectUnknown(client, (id) => `/v1/customers/${id}/timeline/stream`, customer.id);
        await expectUnknown(client, (id) => `/v1/interactions/${id}`, ours!.receipt!);
        await expectUnknown(client, (id) => `/v1/conversations/${id}`, conversation);
        await expectUnknown(client, (id) => `/v1/receipts/${id}`, ours!.receipt!);
        await expectUnknown(client, (id) => `/v1/receipts/${id}`, parked!.receipt!);
      }
      const analyst = await hub.process.client({ key: keys.analyst });
      await expectUnknown(analyst, (id) => `/v1/history/events?customer=${id}`, customer.id);
      const log = (await analyst.get('/v1/history/events')).text.trim().split('\n');
      expect(new Set(log.map((line) => (JSON.parse(line) as { tenant: string }).tenant))).toEqual(new Set(['other']));
      expect((await (await hub.process.client('analyst')).get('/v1/history/events')).text).not.toContain('of other');
      // A cursor is a place, and places are no secret: it opens nothing.
      const { next } = await hub.reader.timeline(customer.id, {
        limit: 1,
        after: Buffer.from('0.0').toString('base64url'),
      });
      expect((await stranger.timeline(own.id, { before: next })).items.every(({ id }) => id === others!.receipt)).toBe(
        true,
      );
    });
  });
});
