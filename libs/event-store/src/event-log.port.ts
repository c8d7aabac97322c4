import type { EventStore, Position, ReadAllOptions, StoredEvent, StreamRevision } from './event-store.port.js';

/** The read half of an event store: what a reader in another thread or process offers. */
export type EventLog = Pick<EventStore, 'read' | 'readAll' | 'subscribe' | 'head'>;

/** A stored event whose `data` is still the JSON text that was written: for export, where nobody looks inside. */
export interface RawEvent extends Omit<StoredEvent, 'data'> {
  json: string;
}

/** An engine that can hand out events without parsing them. */
export interface RawEventLog {
  readAllRaw(options: ReadAllOptions): AsyncIterable<RawEvent[]>;
}

/** What was appended, told after its commit and before the promise of its append resolves. */
export interface AppendedEvent {
  position: Position;
  revision: StreamRevision;
  type: string;
  tenant: string;
  data: object;
}

/** Follows the writer without reading the log. A listener is called once a commit, in log order, and must not throw. */
export interface AppendFeed {
  /** @returns what ends the listening */
  onAppended(listener: (events: readonly AppendedEvent[]) => void): () => void;
}
