import {
  EventStore,
  type AppendReceipt,
  type ExpectedRevision,
  type NewEvent,
  type Position,
  type RawEvent,
  type RawEventLog,
  type ReadAllOptions,
  type StoredEvent,
  type StreamId,
  type Subscription,
} from '#libs/event-store';
import type { IdentityErased } from '#libs/domain';
import { HubError, type Uuid } from '#libs/kernel';
import { EventSealer, type Draft, type SecretDraft } from './seal/event-sealer.js';
import { SealedEventLog } from './sealed.event-log.js';
import { storeUnavailable } from './vault/key-vault.errors.js';
import type { DataKey, KeyVault } from './vault/key-vault.port.js';

const ERASURE: IdentityErased['type'] = 'IdentityErased';

const erased = (stream: StreamId): HubError =>
  new HubError('PRIVACY.IDENTITY_ERASED', `what ${stream} belongs to was erased; nothing is added to it`, {
    facts: { stream },
  });

interface WaitingAppend {
  stream: StreamId;
  drafts: readonly Draft[];
  expected: ExpectedRevision;
  resolve: (receipt: Promise<AppendReceipt>) => void;
  reject: (error: unknown) => void;
}

/**
 * An event store whose log holds personal fields sealed only. On this side of it events are open: commands,
 * projections and queries know nothing of it.
 *
 * Keys are durable before the first event that needs them is handed on. Appends keep their order: those of one turn of
 * the event loop are sealed together, and make those behind them wait. What belongs to somebody erased is refused with
 * `PRIVACY.IDENTITY_ERASED`.
 */
export class SealedEventStore extends EventStore implements RawEventLog {
  private readonly log: SealedEventLog;
  private waiting: WaitingAppend[] = [];
  private draining: Promise<void> | undefined;
  private closed = false;

  /** @param vault left open: it belongs to whoever opened it */
  constructor(
    private readonly inner: EventStore & RawEventLog,
    private readonly vault: KeyVault,
    private readonly sealer = new EventSealer(),
  ) {
    super();
    this.log = new SealedEventLog(inner, vault, sealer);
  }

  append(stream: StreamId, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendReceipt> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw new HubError('EVENT_STORE.CLOSED', 'the event store is closed', { retryable: true });
      // What is no event at all is for the store to refuse.
      const drafts = events.map((event) =>
        typeof event.data === 'object' && event.data !== null ? this.sealer.draft(stream, event) : { event },
      );
      this.refuseErased(stream, events);
      this.waiting.push({ stream, drafts, expected, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  read(stream: StreamId): Promise<StoredEvent[]> {
    return this.log.read(stream);
  }

  readAll(options: ReadAllOptions): AsyncGenerator<StoredEvent[]> {
    return this.log.readAll(options);
  }

  readAllRaw(options: ReadAllOptions): AsyncGenerator<RawEvent[]> {
    return this.log.readAllRaw(options);
  }

  subscribe(after: Position, handle: (events: StoredEvent[]) => Promise<void>): Subscription {
    return this.log.subscribe(after, handle);
  }

  head(): Promise<Position> {
    return this.inner.head();
  }

  recordedBy(instantMs: number): Promise<Position> {
    return this.inner.recordedBy(instantMs);
  }

  /** Appends what waits, and closes the store behind it. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.draining) await this.draining;
    await this.inner.close();
  }

  /** Nothing more is said of what was erased, but that it was. */
  private refuseErased(stream: StreamId, events: readonly NewEvent[]): void {
    if (this.vault.erased.size === 0 || !/^(identity|link)-/.test(stream)) return;
    if (this.vault.erased.has(stream.slice(stream.indexOf('-') + 1)) && events.some(({ type }) => type !== ERASURE))
      throw erased(stream);
  }

  private async drain(): Promise<void> {
    // Those of one turn of the event loop ask for their keys together.
    await new Promise((turn) => setImmediate(turn));
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      try {
        await this.appendGroup(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.draining = undefined;
  }

  private async appendGroup(group: readonly WaitingAppend[]): Promise<void> {
    const { keys, failure } = await this.keysFor(group);
    for (const { stream, drafts, expected, resolve, reject } of group) {
      // An erasure may have come while others waited for their keys.
      const gone = drafts.find(({ secret }) => secret && this.vault.erased.has(secret.subject));
      const without = gone ?? drafts.find(({ secret }) => secret && !keys.has(secret.subject));
      if (without) {
        reject(gone ? erased(stream) : (failure ?? noKey(without)));
        continue;
      }
      const events = drafts.map((draft) =>
        isSecret(draft) ? this.sealer.seal(draft, keys.get(draft.secret.subject)!) : draft.event,
      );
      resolve(this.inner.append(stream, events, expected));
    }
  }

  private async keysFor(group: readonly WaitingAppend[]): Promise<{ keys: Map<Uuid, DataKey>; failure?: unknown }> {
    const keys = new Map<Uuid, DataKey>();
    const missing = new Set<Uuid>();
    for (const { drafts } of group)
      for (const { secret } of drafts) {
        const key = secret && this.vault.cached(secret.subject);
        if (key) keys.set(secret.subject, key);
        else if (secret) missing.add(secret.subject);
      }
    if (missing.size === 0) return { keys };
    try {
      for (const [subject, key] of await this.vault.obtain(missing)) keys.set(subject, key);
      return { keys };
    } catch (error) {
      return { keys, failure: storeUnavailable(error) };
    }
  }
}

const noKey = ({ event }: Draft): HubError =>
  new HubError('PRIVACY.NO_KEY', `${event.type}: there is no key to seal with`);

const isSecret = (draft: Draft): draft is SecretDraft => draft.secret !== undefined;
