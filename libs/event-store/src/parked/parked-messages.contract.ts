import { randomUUID } from 'node:crypto';
import type { NewParkedMessage, ParkedMessages } from './parked-messages.port.js';

export interface ParkedMessagesUnderTest {
  /** An empty one. */
  open(): Promise<ParkedMessages> | ParkedMessages;
  close?(): Promise<void> | void;
}

export const parkedOf = (changes: Partial<NewParkedMessage> = {}): NewParkedMessage => ({
  tenant: 'acme',
  channel: 'email',
  account: 'support',
  stage: 'parse',
  reasonCode: 'EMAIL.NO_SENDER',
  reason: 'the message names no sender',
  receivedAtMs: 1_740_000_000_000,
  contentType: 'message/rfc822',
  bytes: Buffer.from([0, 255, 10, 13, 128, 0]),
  ...changes,
});

/** The second half of the port: what every adapter promises. */
export const parkedMessagesContract = (name: string, under: ParkedMessagesUnderTest): void => {
  describe(`${name} keeps the promises of ParkedMessages`, () => {
    let parked: ParkedMessages;
    beforeEach(async () => {
      parked = await under.open();
    });
    afterEach(() => under.close?.());

    it('keeps a message exactly as it came', async () => {
      const receipt = randomUUID();
      const id = await parked.park(parkedOf({ receipt }));
      expect(await parked.get(id)).toEqual({
        ...parkedOf({ receipt }),
        id,
        attempts: 1,
        status: 'parked',
        parkedAtMs: expect.any(Number) as number,
      });
    });

    it('finds what is parked of a contact', async () => {
      const receipt = randomUUID();
      const id = await parked.park(parkedOf({ receipt }));
      await parked.park(parkedOf({ receipt: randomUUID() }));
      await parked.park(parkedOf());
      expect((await parked.list({ receipt, limit: 10 })).map((one) => one.id)).toEqual([id]);
      expect(await parked.list({ receipt, tenant: 'globex', limit: 10 })).toEqual([]);
    });

    it('does not know a message that is not there', async () => {
      expect(await parked.get(randomUUID())).toBeUndefined();
      expect(await parked.get('no uuid')).toBeUndefined();
    });

    it('counts a redelivery under the same id as an attempt', async () => {
      const id = randomUUID();
      const ids = await Promise.all([1, 2, 3].map(() => parked.park(parkedOf({ id }))));
      expect(ids).toEqual([id, id, id]);
      expect(await parked.get(id)).toMatchObject({ attempts: 3, status: 'parked' });
      expect(await parked.list({ limit: 10 })).toHaveLength(1);
    });

    it('opens a replayed message again when it fails again, and leaves a discarded one', async () => {
      const [replayed, discarded] = [randomUUID(), randomUUID()];
      for (const id of [replayed, discarded]) await parked.park(parkedOf({ id }));
      await parked.markReplayed(replayed, 'recorded');
      await parked.discard(discarded, 'ops', 'spam');
      expect(await parked.get(replayed)).toMatchObject({ status: 'replayed', outcome: 'recorded' });
      for (const id of [replayed, discarded]) await parked.park(parkedOf({ id }));
      expect(await parked.get(replayed)).toMatchObject({ status: 'parked', attempts: 2 });
      expect(await parked.get(discarded)).toMatchObject({
        status: 'discarded',
        attempts: 2,
        discardedBy: 'ops',
        discardReason: 'spam',
      });
    });

    it('settles a message once', async () => {
      const id = await parked.park(parkedOf());
      await parked.discard(id, 'ops', 'spam');
      await expect(parked.markReplayed(id, 'recorded')).rejects.toMatchObject({ code: 'PARKED.SETTLED' });
      await expect(parked.discard(id, 'ops', 'spam')).rejects.toMatchObject({ code: 'PARKED.SETTLED' });
      await expect(parked.discard(randomUUID(), 'ops', 'spam')).rejects.toMatchObject({ code: 'PARKED.NOT_FOUND' });
    });

    it('purges a message of its bytes for good, and counts it on', async () => {
      const [open, replayed] = [await parked.park(parkedOf()), await parked.park(parkedOf())];
      await parked.markReplayed(replayed, 'recorded');
      for (const id of [open, replayed]) {
        expect(await parked.purge(id, 'ops', 'erasure')).toBe(true);
        expect(await parked.purge(id, 'ops', 'erasure')).toBe(false);
        await parked.park(parkedOf({ id }));
        expect((await parked.get(id))!.bytes).toHaveLength(0);
      }
      expect(await parked.get(open)).toMatchObject({ status: 'discarded', discardedBy: 'ops', attempts: 2 });
      expect(await parked.purge(randomUUID(), 'ops', 'erasure')).toBe(false);
    });

    it('lists newest first, filtered, page by page, without bytes', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) ids.push(await parked.park(parkedOf({ tenant: i % 2 ? 'globex' : 'acme' })));
      await parked.discard(ids[2]!, 'ops', 'spam');
      const listed = async (options: Parameters<ParkedMessages['list']>[0]): Promise<string[]> =>
        (await parked.list(options)).map(({ id }) => id);
      expect(await listed({ limit: 100 })).toEqual(ids.toReversed());
      expect(await listed({ limit: 2 })).toEqual([ids[6], ids[5]]);
      expect(await listed({ limit: 2, before: ids[5]! })).toEqual([ids[4], ids[3]]);
      expect(await listed({ limit: 9, tenant: 'acme', status: 'parked' })).toEqual([ids[6], ids[4], ids[0]]);
      expect(await listed({ limit: 9, before: randomUUID() })).toEqual([]);
      expect((await parked.list({ limit: 1 }))[0]).not.toHaveProperty('bytes');
    });

    it('counts by account and status', async () => {
      const id = await parked.park(parkedOf());
      await parked.park(parkedOf());
      await parked.park(parkedOf({ account: 'billing' }));
      await parked.park(parkedOf({ tenant: 'globex' }));
      await parked.markReplayed(id, 'recorded');
      const none = { parked: 0, replayed: 0, discarded: 0 };
      const support = { tenant: 'acme', channel: 'email', account: 'support', ...none, parked: 1, replayed: 1 };
      const billing = { tenant: 'acme', channel: 'email', account: 'billing', ...none, parked: 1 };
      const globex = { tenant: 'globex', channel: 'email', account: 'support', ...none, parked: 1 };
      expect(await parked.count()).toEqual([billing, support, globex]);
      expect(await parked.count('globex')).toEqual([globex]);
    });
  });
};
