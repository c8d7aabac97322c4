import type { Uuid } from '#libs/kernel';
import type { Traceparent } from '#libs/kernel/tracing/tracing.port.js';

export type StreamCategory =
  | 'interaction'
  | 'conversation'
  | 'link'
  | 'identity'
  | 'access'
  | 'note'
  | 'commitment'
  | 'consent'
  | 'erasure'
  | 'eras';

/** `{category}-{uuid}`; a category holds letters only, so that it ends at the first hyphen. */
export type StreamId = `${StreamCategory}-${Uuid}`;

export const streamId = (category: StreamCategory, id: Uuid): StreamId => `${category}-${id}`;

/** Place of an event in the whole log. Grows with every event, not always by one. Opaque: compare, never compute. */
export type Position = number;

/** Place of an event in its stream, counting from 0. */
export type StreamRevision = number;

/** What the stream must look like for an append to happen: nothing in it, or its last event at this revision. */
export type ExpectedRevision = 'no_stream' | StreamRevision;

export interface NewEvent {
  /** Derived from what was decided, so that a repeated append is recognised. */
  id: Uuid;
  type: string;
  /** Version of the shape of `data`. */
  schema: number;
  tenant: string;
  data: object;
  /** JSON text that the log keeps instead of `data`, where that must not lie there as it is. @default `data` as JSON */
  json?: string;
  /** The recorded trace that led to it; kept beside the event. */
  traceparent?: Traceparent;
}

export interface StoredEvent {
  position: Position;
  stream: StreamId;
  revision: StreamRevision;
  id: Uuid;
  type: string;
  schema: number;
  tenant: string;
  /** Epoch milliseconds, the store's clock. */
  recordedAtMs: number;
  data: object;
  /** In what follows the log (`readAll`, `subscribe`); a stream that is read alone may come without. */
  traceparent?: Traceparent;
}

export interface AppendReceipt {
  /** Position of the last event of this append. */
  position: Position;
  /** Revision of the last event of this append. */
  revision: StreamRevision;
}

export interface ReadAllOptions {
  /** Exclusive start; 0 reads from the beginning. */
  after: Position;
  /** Inclusive end; absent: the head at the time of the call. */
  through?: Position;
  /** Events a batch, 1 to 5000. @default 500 */
  batchSize?: number;
  tenant?: string;
  types?: readonly string[];
}

export interface Subscription {
  /** Resolves after the running batch has been handled; nothing is handled afterwards. */
  stop(): Promise<void>;
  /** Rejects when `handle` failed, resolves on stop. */
  readonly done: Promise<void>;
}

/**
 * The truth: streams of recorded events under one global order.
 *
 * Promises of every adapter (checked by `event-store.contract.ts`):
 * - an append is atomic, and durable when its promise resolves;
 * - a missing stream reads as empty; revisions count from 0;
 * - an append whose first event ids equal those already at that place succeeds again with the original receipt and
 *   stores nothing; any other mismatch rejects with `EVENT_STORE.REVISION_CONFLICT`;
 * - appends called in the same turn may share one transaction and one sync, but succeed or conflict one by one;
 * - a full disk or a failed write rejects with `EVENT_STORE.UNAVAILABLE`, retryable, and nothing of it is stored; where a
 *   server did not answer nobody knows (fact `stored: 'unknown'`), and the same append again settles it.
 */
export abstract class EventStore {
  abstract read(stream: StreamId): Promise<StoredEvent[]>;

  abstract append(stream: StreamId, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendReceipt>;

  /** The log in order, batch by batch, in constant memory. */
  abstract readAll(options: ReadAllOptions): AsyncIterable<StoredEvent[]>;

  /** Everything after `after`, then what is appended from now on, in order, one batch at a time. Nobody polls. */
  abstract subscribe(after: Position, handle: (events: StoredEvent[]) => Promise<void>): Subscription;

  /** Position of the newest event, 0 when empty. */
  abstract head(): Promise<Position>;

  /**
   * How far the log went at an instant (epoch milliseconds): the position before the first event that was recorded
   * later, 0 before the first event of all. So a later instant never gives an earlier position, and nothing up to it was
   * recorded later than asked. After the store's clock was set back, new events count as recorded once it has passed
   * again what it showed before.
   */
  abstract recordedBy(instantMs: number): Promise<Position>;

  abstract close(): Promise<void>;
}
