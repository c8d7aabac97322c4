import { randomUUID } from 'node:crypto';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { collect, eventStoreContract, newStream, until } from '#libs/event-store/event-store.contract.js';
import { MemoryParkedMessages } from '#libs/event-store/parked/memory.parked-messages.js';
import { parkedMessagesContract, parkedOf } from '#libs/event-store/parked/parked-messages.contract.js';
import type { NewEvent, StoredEvent } from '#libs/event-store';
import { FixedClock, HubError, type Uuid } from '#libs/kernel';
import { EventSealer } from './seal/event-sealer.js';
import { MAXIMAL } from './seal/maximal-events.contract.js';
import { SealedEventStore } from './sealed.event-store.js';
import { SealedParkedMessages, parkedKeyId } from './sealed.parked-messages.js';
import { MemoryKeyVault } from './vault/memory/memory.key-vault.js';

// Every type that the contract appends, sealed whole.
const EVERYTHING = new EventSealer(new Proxy({}, { get: () => ({ subject: 'stream', fields: {} }), has: () => true }));

eventStoreContract('SealedEventStore', {
  open: () => new SealedEventStore(new MemoryEventStore(), new MemoryKeyVault(), EVERYTHING),
  close: (store) => store.close(),
  lacks: { durability: 'memory ends with the process' },
  makesTexts: true,
});

parkedMessagesContract('SealedParkedMessages', {
  open: () => new SealedParkedMessages(new MemoryParkedMessages(), new MemoryKeyVault(), new FixedClock(0)),
});

const contactOf = (anchor: Uuid, text = 'canary'): NewEvent => ({
  id: randomUUID(),
  type: 'InteractionRecorded',
  schema: 2,
  tenant: 'acme',
  data: { ...MAXIMAL.InteractionRecorded, anchor, text },
});

/** A vault that makes no key before it is told to. */
class SlowVault extends MemoryKeyVault {
  release: () => void = () => undefined;
  asked: Uuid[][] = [];
  failure: unknown;

  override async obtain(identities: Iterable<Uuid>) {
    const wanted = [...identities];
    this.asked.push(wanted);
    await new Promise<void>((resolve) => (this.release = resolve));
    if (this.failure !== undefined) throw this.failure;
    return super.obtain(wanted);
  }
}

describe('SealedEventStore', () => {
  let log: MemoryEventStore;
  let vault: SlowVault;
  let store: SealedEventStore;
  beforeEach(() => {
    log = new MemoryEventStore();
    vault = new SlowVault();
    store = new SealedEventStore(log, vault);
  });

  const append = (event: NewEvent) => store.append(newStream(), [event], 'no_stream');
  const known = async (identity: Uuid): Promise<void> => {
    const obtained = vault.obtain([identity]);
    vault.release();
    await obtained;
    vault.asked = [];
  };

  it('stores nothing before the key is durable', async () => {
    const appended = append(contactOf(randomUUID()));
    await until(() => vault.asked.length === 1);
    expect(await log.head()).toBe(0);
    vault.release();
    expect(await appended).toEqual({ position: 1, revision: 0 });
  });

  it('keeps the order of appends, whether they wait for a key or not', async () => {
    const old = randomUUID();
    await known(old);
    const appends = [randomUUID(), old, randomUUID(), old].map((anchor, i) => append(contactOf(anchor, `${i}`)));
    await until(() => vault.asked.length === 1);
    appends.push(append(contactOf(old, '4')));
    vault.release();
    const receipts = await Promise.all(appends);
    expect(receipts.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
    const events = await collect(store.readAll({ after: 0 }));
    expect(events.map(({ data }) => (data as { text: string }).text)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('asks once for the keys of one turn, and no more for what it knows', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const appends = [a, b, a].map((anchor) => append(contactOf(anchor)));
    await until(() => vault.asked.length === 1);
    vault.release();
    await Promise.all(appends);
    await append(contactOf(b));
    expect(vault.asked).toEqual([[a, b]]);
  });

  it('refuses what needs a key that cannot be made, stores nothing of it, and lets the rest pass', async () => {
    const old = randomUUID();
    await known(old);
    vault.failure = new HubError('KEY_VAULT.UNAVAILABLE', 'no space', { retryable: true });
    const refused = append(contactOf(randomUUID()));
    const passing = append(contactOf(old));
    await until(() => vault.asked.length === 1);
    vault.release();
    await expect(refused).rejects.toMatchObject({ code: 'EVENT_STORE.UNAVAILABLE', retryable: true });
    expect(await passing).toEqual({ position: 1, revision: 0 });
  });

  it('hands open events to whoever follows the writer, and keeps sealed ones', async () => {
    const heard: StoredEvent[] = [];
    log.onAppended((events) => heard.push(...events));
    const old = randomUUID();
    await known(old);
    const event = contactOf(old);
    await append(event);
    expect(heard).toMatchObject([{ position: 1, id: event.id, data: event.data }]);
    const [stored] = await collect(log.readAll({ after: 0 }));
    expect(JSON.stringify(stored)).not.toMatch(/canary/i);
    const [opened] = await collect(store.readAll({ after: 0 }));
    expect(opened!.data).toEqual(event.data);
    const [raw] = await collect(store.readAllRaw({ after: 0 }));
    expect(JSON.parse(raw!.json)).toEqual(event.data);
  });

  it('reads what was stored in clear before', async () => {
    const event = { ...contactOf(randomUUID()), schema: 1 };
    const stream = newStream();
    await log.append(stream, [event], 'no_stream');
    expect((await store.read(stream))[0]).toMatchObject({ schema: 1, data: event.data });
    const [raw] = await collect(store.readAllRaw({ after: 0 }));
    expect(raw!.json).toBe(JSON.stringify(event.data));
  });

  it('gives placeholders once the key is destroyed, to every reader', async () => {
    const [gone, other] = [randomUUID(), randomUUID()];
    const appends = Promise.all([append(contactOf(gone)), append(contactOf(other))]);
    await until(() => vault.asked.length === 1);
    vault.release();
    await appends;
    await vault.destroy(gone);
    const events = await collect(store.readAll({ after: 0 }));
    expect(events.map(({ data }) => (data as { erased?: true }).erased)).toEqual([true, undefined]);
    expect(JSON.stringify(events[0])).not.toMatch(/canary/i);
    const [raw] = await collect(store.readAllRaw({ after: 0 }));
    expect(raw!.json).not.toMatch(/canary/i);
    const followed: StoredEvent[] = [];
    const subscription = store.subscribe(0, async (page) => void followed.push(...page));
    await until(() => followed.length === 2);
    await subscription.stop();
    expect(followed).toEqual(events);
  });

  it('appends what waits before it closes', async () => {
    const appended = append(contactOf(randomUUID()));
    await until(() => vault.asked.length === 1);
    const closing = store.close();
    vault.release();
    await closing;
    expect(await appended).toEqual({ position: 1, revision: 0 });
    await expect(append(contactOf(randomUUID()))).rejects.toMatchObject({ code: 'EVENT_STORE.CLOSED' });
  });
});

describe('SealedParkedMessages', () => {
  const january = Date.UTC(2026, 0, 31);
  const february = Date.UTC(2026, 1, 1);
  const bytes = Buffer.from('canary message of somebody');

  const open = () => {
    const inside = new MemoryParkedMessages();
    const vault = new MemoryKeyVault();
    const clock = new FixedClock(january);
    return { inside, vault, clock, parked: new SealedParkedMessages(inside, vault, clock) };
  };

  it('keeps no byte in clear', async () => {
    const { inside, parked } = open();
    const id = await parked.park(parkedOf({ bytes }));
    expect((await inside.get(id))!.bytes.includes('canary')).toBe(false);
    expect((await parked.get(id))!.bytes).toEqual(bytes);
  });

  it('reads what was parked in clear before', async () => {
    const { inside, parked } = open();
    const id = await inside.park(parkedOf({ bytes }));
    expect((await parked.get(id))!.bytes).toEqual(bytes);
  });

  it('ends a month with its key', async () => {
    const { vault, clock, parked } = open();
    const first = await parked.park(parkedOf({ bytes }));
    clock.advance(february - january);
    const second = await parked.park(parkedOf({ bytes }));
    await vault.destroy(parkedKeyId(january));
    expect((await parked.get(first))!.bytes.toString()).toBe('erased');
    expect((await parked.get(second))!.bytes).toEqual(bytes);
  });

  it('does not open under another id or tenant, or changed', async () => {
    const { inside, parked } = open();
    const { bytes: sealed } = (await inside.get(await parked.park(parkedOf({ bytes }))))!;
    const changed = Buffer.from(sealed);
    changed[changed.length - 1]! ^= 1;
    for (const other of [sealed, changed]) {
      const id = await inside.park(parkedOf({ bytes: other }));
      await expect(parked.get(id)).rejects.toMatchObject({ code: 'PRIVACY.SEAL_BROKEN' });
    }
  });

  it('needs no key to list and count', async () => {
    const { inside, parked } = open();
    const id = await parked.park(parkedOf({ bytes }));
    const without = new SealedParkedMessages(inside, new MemoryKeyVault(), new FixedClock(january));
    expect((await without.list({ limit: 5 })).map((one) => one.id)).toEqual([id]);
    expect((await without.get(id))!.bytes.toString()).toBe('erased');
  });
});
