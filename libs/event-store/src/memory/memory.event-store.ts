import { setImmediate as nextTurn } from 'node:timers/promises';
import { SystemClock, type Clock } from '#libs/kernel';
import { CatchUpSubscription, Subscriptions } from '../catch-up-subscription.js';
import type { AppendFeed, RawEvent, RawEventLog } from '../event-log.port.js';
import { revisionConflict, storeClosed } from '../event-store.errors.js';
import {
  EventStore,
  type AppendReceipt,
  type ExpectedRevision,
  type NewEvent,
  type Position,
  type ReadAllOptions,
  type StoredEvent,
  type StreamId,
  type Subscription,
} from '../event-store.port.js';
import { checkAppend, partsOfStream, revisionBefore } from '../new-events.js';
import { batchSizeOf } from '../read-all.js';

/** The whole log in an array: for tests and demonstrations. Same meaning as the durable stores, gone with the process. */
export class MemoryEventStore extends EventStore implements RawEventLog, AppendFeed {
  private readonly log: RawEvent[] = [];
  private readonly streams = new Map<StreamId, RawEvent[]>();
  private readonly subscriptions = new Subscriptions();
  private readonly listeners = new Set<(events: readonly StoredEvent[]) => void>();
  private closed = false;

  constructor(private readonly clock: Clock = new SystemClock()) {
    super();
  }

  async read(stream: StreamId): Promise<StoredEvent[]> {
    partsOfStream(stream);
    return (this.streams.get(stream) ?? []).map(parsed);
  }

  async append(stream: StreamId, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendReceipt> {
    if (this.closed) throw storeClosed();
    partsOfStream(stream);
    checkAppend(stream, events, expected);
    const known = this.streams.get(stream) ?? [];
    const first = revisionBefore(expected) + 1;
    if (known.length !== first) {
      const place = known.slice(first, first + events.length);
      const last = place.at(-1);
      if (!last || !events.every((event, i) => event.id === place[i]?.id))
        throw revisionConflict(stream, expected, known.length - 1);
      return { position: last.position, revision: last.revision };
    }
    const recordedAtMs = this.clock.nowMs();
    const added = events.map(({ id, type, schema, tenant, data, json, traceparent }, i) => ({
      position: this.log.length + 1 + i,
      stream,
      revision: first + i,
      id,
      type,
      schema,
      tenant,
      recordedAtMs,
      json: json ?? JSON.stringify(data), // a caller that changes its object later must not change history
      ...(traceparent !== undefined && { traceparent }),
    }));
    this.log.push(...added);
    this.streams.set(stream, [...known, ...added]);
    const told = added.map(({ json: _json, ...event }, i) => ({ ...event, data: events[i]!.data }));
    for (const listener of this.listeners) listener(told);
    this.subscriptions.wake();
    return { position: this.log.length, revision: first + events.length - 1 };
  }

  readAll(options: ReadAllOptions): AsyncGenerator<StoredEvent[]> {
    return this.pages(options, this.log.length, parsed);
  }

  readAllRaw(options: ReadAllOptions): AsyncGenerator<RawEvent[]> {
    return this.pages(options, this.log.length, (event) => event);
  }

  subscribe(after: Position, handle: (events: StoredEvent[]) => Promise<void>): Subscription {
    if (this.closed) throw storeClosed();
    const pageAfter = (position: Position): StoredEvent[] => this.log.slice(position, position + 500).map(parsed);
    return this.subscriptions.add(new CatchUpSubscription(after, pageAfter, handle));
  }

  onAppended(listener: (events: readonly StoredEvent[]) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async head(): Promise<Position> {
    return this.log.length;
  }

  async recordedBy(instantMs: number): Promise<Position> {
    const later = this.log.findIndex(({ recordedAtMs }) => recordedAtMs > instantMs);
    return later === -1 ? this.log.length : later;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.subscriptions.stop();
  }

  private async *pages<T>(options: ReadAllOptions, head: Position, map: (event: RawEvent) => T): AsyncGenerator<T[]> {
    const size = batchSizeOf(options);
    const types = options.types && new Set(options.types);
    const through = Math.min(options.through ?? head, head);
    let batch: T[] = [];
    for (let i = options.after; i < through; i++) {
      const event = this.log[i]!;
      if (options.tenant !== undefined && event.tenant !== options.tenant) continue;
      if (types && !types.has(event.type)) continue;
      batch.push(map(event));
      if (batch.length < size) continue;
      yield batch;
      batch = [];
      await nextTurn();
    }
    if (batch.length > 0) yield batch;
  }
}

const parsed = ({ json, ...event }: RawEvent): StoredEvent => ({ ...event, data: JSON.parse(json) as object });
