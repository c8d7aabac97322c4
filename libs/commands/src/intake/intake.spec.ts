import type { AppendReceipt, EventStore } from '#libs/event-store';
import { MemoryDeliveryLedger } from '#libs/event-store/ledger/memory.delivery-ledger.js';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { MemoryParkedMessages } from '#libs/event-store/parked/memory.parked-messages.js';
import { HubError, IdFactory } from '#libs/kernel';
import { deliveryOf, intakeOver } from './intake.contract.js';
import type { Intake } from './intake.js';

/** A store that at times gives no answer, and has stored what it was given or not. */
class SilentStore extends MemoryEventStore {
  /** Of the appends to come. */
  answers: ('stored' | 'not stored' | 'answered')[] = [];

  override async append(...given: Parameters<EventStore['append']>): Promise<AppendReceipt> {
    const answer = this.answers.shift() ?? 'answered';
    const appended = answer === 'not stored' ? undefined : await super.append(...given);
    if (answer === 'answered') return appended!;
    throw new HubError('EVENT_STORE.UNAVAILABLE', 'no answer', { retryable: true, facts: { stored: 'unknown' } });
  }
}

const ids = new IdFactory(Buffer.alloc(32, 7));
let store: SilentStore;
let ledger: MemoryDeliveryLedger;
let intake: Intake;
beforeEach(() => {
  store = new SilentStore();
  ledger = new MemoryDeliveryLedger(store);
  intake = intakeOver({ events: store, parked: new MemoryParkedMessages(), ledger, ids });
});

const statusesOf = async (...messages: ReturnType<typeof deliveryOf>[]): Promise<string[]> =>
  (await intake.handle(messages)).map(({ status }) => status);
const refused = (...messages: ReturnType<typeof deliveryOf>[]): Promise<void> =>
  expect(intake.handle(messages)).rejects.toMatchObject({ code: 'EVENT_STORE.UNAVAILABLE' });
const totals = async () => (await ledger.totals()).rows.map(({ recorded, corrected, duplicate }) => ({ recorded, corrected, duplicate })); // prettier-ignore

describe.each([
  ['a bus that names its deliveries', 'interactions/3/41'],
  ['a bus that hands over and forgets', undefined],
])('a delivery that comes again after a refusal, from %s', (_, delivery) => {
  const contact = (over: Parameters<typeof deliveryOf>[1] = {}) => deliveryOf(ids, over, delivery);

  it.each(['stored', 'not stored'] as const)(
    'is recorded, and no duplicate, when the unknown append was %s',
    async (was) => {
      store.answers = [was];
      await refused(contact());
      expect(await statusesOf(contact({ receivedAt: '2025-03-02T09:16:00.000Z' }))).toEqual(['recorded']);
      expect(await store.head()).toBe(1);
      expect(await totals()).toEqual([{ recorded: 1, corrected: 0, duplicate: 0 }]);
    },
  );

  it('is corrected when it was a correction', async () => {
    await statusesOf(deliveryOf(ids, {}, delivery && 'interactions/3/40'));
    const correction = contact({ revision: 2, text: 'Another word' });
    // The first append supposes that the contact is new.
    store.answers = ['answered', 'stored'];
    await refused(correction);
    expect(await statusesOf(correction)).toEqual(['corrected']);
    expect(await totals()).toEqual([{ recorded: 1, corrected: 1, duplicate: 0 }]);
  });

  it('is recorded when another contact of its batch was the one that failed', async () => {
    const batch = [contact(), deliveryOf(ids, { externalId: 'other' }, delivery && 'interactions/3/42')];
    store.answers = ['answered', 'not stored'];
    await refused(...batch);
    expect(await statusesOf(...batch)).toEqual(['recorded', 'recorded']);
    expect(await totals()).toEqual([{ recorded: 2, corrected: 0, duplicate: 0 }]);
  });

  it('counts once what the ledger could not save at first', async () => {
    await statusesOf(deliveryOf(ids, {}, delivery && 'interactions/3/40'));
    const flush = jest
      .spyOn(ledger, 'flush')
      .mockRejectedValueOnce(new HubError('EVENT_STORE.UNAVAILABLE', 'no answer', { retryable: true }));
    await refused(contact());
    flush.mockRestore();
    expect(await statusesOf(contact())).toEqual(['duplicate']);
    expect(await totals()).toEqual([{ recorded: 1, corrected: 0, duplicate: 1 }]);
  });
});

it('counts what a sender sends twice as a duplicate, also in one batch', async () => {
  expect(await statusesOf(deliveryOf(ids), deliveryOf(ids))).toEqual(['recorded', 'duplicate']);
  expect(await statusesOf(deliveryOf(ids, {}, 'interactions/0/1'))).toEqual(['duplicate']);
  expect(await totals()).toEqual([{ recorded: 1, corrected: 0, duplicate: 2 }]);
});
