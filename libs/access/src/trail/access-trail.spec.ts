import type { PersonalDataRevealed, TimelineViewed } from '#libs/domain';
import type { StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { codeOf, FixedClock, HubError } from '#libs/kernel';
import type { Caller } from '../caller.js';
import { AccessTrail } from './access-trail.js';
import { Reasons } from './reasons.js';

const mika: Caller = { tenant: 'acme', roles: ['agent'], pii: true, keyId: 'user:mika' };
const boss: Caller = { tenant: 'acme', roles: ['supervisor'], pii: true, keyId: 'abcdefgh' };
const other: Caller = { tenant: 'globex', roles: ['agent'], pii: true, keyId: 'abcdefgh' };
const idOf = (n: number) => `10000000-0000-8000-8000-${String(n).padStart(12, '0')}`;

class FailingStore extends MemoryEventStore {
  failing = false;

  override append(...given: Parameters<MemoryEventStore['append']>) {
    return this.failing
      ? Promise.reject(new HubError('EVENT_STORE.UNAVAILABLE', 'the disk is full', { retryable: true }))
      : super.append(...given);
  }
}

describe('the trail of who looked at whom', () => {
  const clock = new FixedClock(Date.parse('2025-03-02T09:00:00.000Z'));
  const start = () => {
    const store = new FailingStore(clock);
    return { store, trail: new AccessTrail(store, clock) };
  };
  const eventsOf = async (store: MemoryEventStore): Promise<StoredEvent[]> => {
    const events: StoredEvent[] = [];
    for await (const batch of store.readAll({ after: 0 })) events.push(...batch);
    return events;
  };

  it('counts the looks of one caller at one customer as one event, and keeps apart who, whom and why', async () => {
    const { store, trail } = start();
    trail.viewed(mika, { customer: idOf(1), saw: 'header' });
    trail.viewed(mika, { customer: idOf(1), saw: 'timeline' });
    trail.viewed(mika, { customer: idOf(1), saw: 'timeline' });
    trail.viewed(mika, { customer: idOf(2), saw: 'timeline' });
    trail.viewed(mika, { customer: idOf(1), saw: 'header', reason: 'complaint' });
    trail.viewed(boss, { customer: idOf(1), saw: 'header' });
    expect(await eventsOf(store)).toEqual([]);
    await trail.flush();
    const found = (await eventsOf(store)).map(({ type, schema, tenant, data }) => ({ type, schema, tenant, data }));
    const viewed = (data: Partial<TimelineViewed['data']>) => ({
      type: 'TimelineViewed',
      schema: 1,
      tenant: 'acme',
      data: { by: 'user:mika', customer: idOf(1), at: '2025-03-02T09:00:00.000Z', saw: ['header'], reads: 1, ...data },
    });
    expect(found).toEqual([
      viewed({ saw: ['header', 'timeline'], reads: 3 }),
      viewed({ customer: idOf(2), saw: ['timeline'] }),
      viewed({ reason: 'complaint' }),
      viewed({ by: 'abcdefgh' }),
    ]);
  });

  it('writes the looks of different tenants apart, with nobody named in stream or id', async () => {
    const { store, trail } = start();
    trail.viewed(boss, { customer: idOf(1), saw: 'header' });
    trail.viewed(other, { customer: idOf(1), saw: 'header' });
    await trail.flush();
    const events = await eventsOf(store);
    expect(events.map(({ tenant }) => tenant)).toEqual(['acme', 'globex']);
    expect(new Set(events.map(({ stream }) => stream)).size).toBe(2);
    for (const { stream, id } of events) expect(stream + id).not.toContain(idOf(1));
  });

  it('writes what it could not write before with the next looks, each once', async () => {
    const { store, trail } = start();
    store.failing = true;
    trail.viewed(mika, { customer: idOf(1), saw: 'header' });
    await trail.flush();
    trail.viewed(mika, { customer: idOf(2), saw: 'header' });
    await trail.flush();
    expect(await eventsOf(store)).toEqual([]);
    store.failing = false;
    await trail.flush();
    await trail.flush();
    expect((await eventsOf(store)).map(({ data }) => (data as TimelineViewed['data']).customer)).toEqual([
      idOf(1),
      idOf(2),
    ]);
  });

  it('lets nobody look any more while too much waits to be written', async () => {
    const { store, trail } = start();
    store.failing = true;
    for (let n = 0; n < 10_000; n++) {
      if (n === 6000) await trail.flush();
      trail.viewed(mika, { customer: idOf(n), saw: 'header' });
    }
    const look = (): string | undefined => {
      try {
        trail.viewed(mika, { customer: idOf(10_000), saw: 'header' });
        return undefined;
      } catch (error) {
        return codeOf(error);
      }
    };
    expect(look()).toBe('ACCESS.TRAIL_FULL');
    store.failing = false;
    await trail.flush();
    expect(look()).toBeUndefined();
    expect(await eventsOf(store)).toHaveLength(10_000);
  });

  it('writes what is left when the program stops', async () => {
    const { store, trail } = start();
    trail.viewed(mika, { customer: idOf(1), saw: 'stream' });
    await trail.onApplicationShutdown();
    expect(await eventsOf(store)).toHaveLength(1);
  });

  it('has written a reveal before it says so', async () => {
    const { store, trail } = start();
    const position = await trail.revealed(mika, { customer: idOf(1), field: 'name', reason: 'call-back' });
    const [event] = await eventsOf(store);
    expect(event).toMatchObject({ type: 'PersonalDataRevealed', position, tenant: 'acme' });
    expect(event!.data as PersonalDataRevealed['data']).toEqual({
      by: 'user:mika',
      at: '2025-03-02T09:00:00.000Z',
      customer: idOf(1),
      field: 'name',
      reason: 'call-back',
    });
    store.failing = true;
    await expect(trail.revealed(mika, { customer: idOf(1), field: 'name', reason: 'x' })).rejects.toMatchObject({
      code: 'EVENT_STORE.UNAVAILABLE',
    });
  });
});

describe('reasons', () => {
  const codeFor = (reasons: Reasons, caller: Caller, header?: string) => {
    try {
      return reasons.of(caller, header);
    } catch (error) {
      return codeOf(error);
    }
  };

  it('are asked for where the tenant wants them, and taken everywhere', () => {
    const [none, acme, all] = [new Reasons(undefined), new Reasons('acme,initech'), new Reasons('*')];
    expect([none, acme, all].map((reasons) => codeFor(reasons, mika))).toEqual([
      undefined,
      'REASON.INVALID',
      'REASON.INVALID',
    ]);
    expect([none, acme, all].map((reasons) => codeFor(reasons, other))).toEqual([
      undefined,
      undefined,
      'REASON.INVALID',
    ]);
    for (const reasons of [none, acme, all]) expect(codeFor(reasons, mika, 'call-back')).toBe('call-back');
  });

  it('are codes, since sentences name people', () => {
    for (const text of ['', 'Ana Ruiz has called', 'Complaint', 'ana@example.com', 'x'.repeat(41)])
      expect(codeFor(new Reasons(undefined), mika, text)).toBe('REASON.INVALID');
  });
});
