import { eventOf, newStream } from '../event-store.contract.js';
import type { EventStore } from '../event-store.port.js';
import type { DeliveryLedger } from './delivery-ledger.port.js';

export interface DeliveryLedgerUnderTest {
  /** An empty ledger over an empty store. */
  open(): Promise<{ ledger: DeliveryLedger; events: EventStore }>;
  close?(): Promise<void> | void;
}

export const support = { tenant: 'acme', channel: 'email', account: 'support' };
export const shop = { tenant: 'acme', channel: 'store', account: 'shop-1' };
export const none = { recorded: 0, duplicate: 0, corrected: 0, parked: 0 };

export const contactAt = ({ tenant, channel, account }: typeof support, type = 'InteractionRecorded') =>
  eventOf(type, { channel, account }, tenant);

/** The second half of the port: what every adapter promises. */
export const deliveryLedgerContract = (name: string, under: DeliveryLedgerUnderTest): void => {
  describe(`${name} keeps the promises of DeliveryLedger`, () => {
    let ledger: DeliveryLedger;
    let events: EventStore;
    beforeEach(async () => {
      ({ ledger, events } = await under.open());
    });
    afterEach(() => under.close?.());

    it('counts each outcome per account', async () => {
      const stream = newStream();
      await events.append(stream, [contactAt(support)], 'no_stream');
      await events.append(stream, [contactAt(support, 'InteractionCorrected')], 0);
      await events.append(newStream(), [contactAt(shop)], 'no_stream');
      await events.append(newStream(), [eventOf('ProfileImported', { source: 'crm' })], 'no_stream');
      await events.append(newStream(), [eventOf('NoteAdded', support)], 'no_stream');
      ledger.count(support, 'recorded');
      ledger.count(support, 'corrected');
      for (let i = 0; i < 3; i++) ledger.count(support, 'duplicate');
      ledger.count(shop, 'parked');
      expect((await ledger.totals()).rows).toEqual([
        { ...support, ...none, recorded: 1, corrected: 1, duplicate: 3 },
        { tenant: 'acme', channel: 'profile', account: 'crm', ...none, recorded: 1 },
        { ...shop, ...none, recorded: 1, parked: 1 },
      ]);
    });

    it('equals the log through the position it counts to', async () => {
      for (let i = 0; i < 10; i++)
        await Promise.all(
          [support, shop, support].map((account) => events.append(newStream(), [contactAt(account)], 'no_stream')),
        );
      const { countedThrough, rows } = await ledger.totals();
      expect(countedThrough).toBe(await events.head());
      const counted = rows.map(({ duplicate: _, parked: __, ...row }) => row);
      expect(await ledger.countLog(countedThrough)).toEqual({ through: countedThrough, rows: counted });
      expect((await ledger.countLog(15)).rows.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(15);
    });

    it('does not count a repeated or a refused append', async () => {
      const stream = newStream();
      const contact = contactAt(support);
      await events.append(stream, [contact], 'no_stream');
      await events.append(stream, [contact], 'no_stream');
      await expect(events.append(stream, [contactAt(support)], 'no_stream')).rejects.toThrow();
      expect((await ledger.totals()).rows).toEqual([{ ...support, ...none, recorded: 1 }]);
    });

    it('differs from the log when a contact was recorded twice', async () => {
      const stream = newStream();
      await events.append(stream, [contactAt(support)], 'no_stream');
      await events.append(stream, [contactAt(support)], 0);
      expect((await ledger.totals()).rows).toMatchObject([{ recorded: 1 }]);
      expect((await ledger.countLog()).rows).toMatchObject([{ recorded: 2 }]);
    });

    it('is empty over an empty log', async () => {
      expect(await ledger.totals()).toEqual({ countedThrough: 0, rows: [] });
      expect(await ledger.countLog()).toEqual({ through: 0, rows: [] });
    });
  });
};
