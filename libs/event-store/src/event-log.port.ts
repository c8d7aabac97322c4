import type {
  AppendReceipt,
  EventStore,
  ExpectedRevision,
  NewEvent,
  ReadAllOptions,
  StoredEvent,
  StreamId,
} from './event-store.port.js';

/** The read half of an event store: what a reader in another thread or process offers. */
export type EventLog = Pick<EventStore, 'read' | 'readAll' | 'subscribe' | 'head' | 'recordedBy'>;

/** A stored event whose `data` is still the JSON text that was written: for export, where nobody looks inside. */
export interface RawEvent extends Omit<StoredEvent, 'data'> {
  json: string;
}

/** An engine that can hand out events without parsing them. */
export interface RawEventLog {
  readAllRaw(options: ReadAllOptions): AsyncIterable<RawEvent[]>;
}

/**
 * Follows the writer without reading the log: of engines to which this process alone appends. Where other programs
 * append too nobody sees all of it but by `subscribe`, so an engine on a server has no such feed.
 *
 * A listener is called once a commit, in log order, after the commit and before the promises of its appends resolve; it
 * must not throw, and must not change what it is given. The data of an event is the object that was appended, whatever
 * text the log keeps of it.
 */
export interface AppendFeed {
  /** @returns what ends the listening */
  onAppended(listener: (events: readonly StoredEvent[]) => void): () => void;
}

/** An event that another store recorded first: at that instant, epoch milliseconds. */
export type CopiedEvent = NewEvent & { recordedAtMs?: number };

/** A store that takes over the log of another one. */
export interface CopyTarget extends Pick<EventLog, 'head'>, RawEventLog {
  append(stream: StreamId, events: readonly CopiedEvent[], expected: ExpectedRevision): Promise<AppendReceipt>;
  newest(): Promise<StoredEvent | undefined>;
}
