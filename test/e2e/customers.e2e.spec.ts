import { contact, from } from './contacts.js';
import { StaffedHub, expectProblem, idsOf } from './staffed-hub.js';

jest.setTimeout(300_000);

describe('a hub and those who work with it', () => {
  const hub = new StaffedHub();
  const { tell, decide } = hub;

  describe('finds a customer', () => {
    it('by an identifier in any spelling', async () => {
      await tell(contact(from('email:Maria.Lopez@Example.com')), contact(from('phone:+34 600 12 34 56')));
      const { id } = await hub.reader.customer('email:maria.lopez@example.com');
      for (const spelling of [
        'email:MARIA.LOPEZ@EXAMPLE.COM',
        'Email: maria.lopez@example.com',
        'email:mailto:Maria.Lopez@example.com',
      ])
        expect((await hub.reader.customer(spelling)).id).toBe(id);
      const caller = await hub.reader.customer('phone:+34600123456');
      for (const spelling of ['phone:+34 (600) 123-456', 'phone:tel:+34-600-123-456'])
        expect((await hub.reader.customer(spelling)).id).toBe(caller.id);
      expect(caller.id).not.toBe(id);
      expect(await hub.reader.customers('email:never.seen@example.com')).toEqual([]);
      for (const identifier of ['', 'email', 'email:', ':x'])
        expectProblem(await hub.reader.get('/v1/customers', { identifier }), 400, 'QUERY.INVALID');
      expectProblem(await hub.reader.get('/v1/customers'), 400, 'QUERY.INVALID');
    });

    it('whom a profile and a contact with two identifiers have joined, by any of its ids', async () => {
      await tell(contact(from('email:pia@example.com')), contact({ channel: 'sms', ...from('phone:+34600000001') }));
      const apart = [
        await hub.reader.customer('email:pia@example.com'),
        await hub.reader.customer('phone:+34600000001'),
      ];
      expect(apart[0]!.id).not.toBe(apart[1]!.id);
      const record = {
        source: 'crm',
        externalId: 'pia',
        name: 'Pia Roth',
        ...(from('email:pia@example.com', 'phone:+34600000001') as { customer: object }).customer,
      };
      const [imported] = await hub.sender.take(record, '/v1/profiles');
      expect(imported!.status).toBe('recorded');
      expect((await hub.sender.take(record, '/v1/profiles'))[0]).toMatchObject({ status: 'duplicate' });
      await tell(contact({ channel: 'store', ...from('email:pia@example.com', 'loyalty:pia-1') }));
      await decide();
      const pia = await hub.reader.customer('loyalty:PIA-1');
      expect(pia).toMatchObject({ id: apart[0]!.id, name: 'Pia Roth', interactions: 3 });
      expect(pia.identities.map(({ type }) => type).toSorted()).toEqual(['email', 'loyalty', 'phone', 'profile']);
      expect(pia.profiles).toMatchObject([{ source: 'crm', externalId: 'pia' }]);
      expect(pia.channels).toEqual({ email: 1, sms: 1, store: 1 });
      // Ids from before the merge lead to the same customer.
      for (const { id } of [...apart, ...pia.identities]) {
        const again = await hub.reader.mustGet<{ id: string }>(`/v1/customers/${id}`);
        expect(again.id).toBe(pia.id);
        expect((await hub.reader.timeline(id)).items).toHaveLength(3);
      }
      expect(await hub.sender.receipt(imported!.receipt!)).toMatchObject({ status: 'recorded', visible: true });
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
      const [ana, bernd] = [await hub.reader.customer('account:A-100'), await hub.reader.customer('account:A-200')];
      expect(ana.id).not.toBe(bernd.id);
      expect([ana.interactions, bernd.interactions]).toEqual([1, 1]);
      // Both are found by it.
      const found = await hub.reader.customers(landline);
      expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([ana.id, bernd.id]));
    });

    it('and keeps a contact without anybody findable by its conversation', async () => {
      const [taken] = await tell(contact({ channel: 'phone', kind: 'call', ...from('phone:anonymous') }));
      const { conversation, customer } = await hub.reader.interaction(taken!.receipt!);
      expect(idsOf(await hub.reader.conversation(conversation))).toEqual([taken!.receipt]);
      expect(idsOf(await hub.reader.timeline(customer))).toEqual([taken!.receipt]);
    });
  });
});
