import type { AllStreamResolvedEvent, EventStoreDBClient, Position as LogPosition } from '@eventstore/db-client';
import type { Position, StoredEvent, StreamId } from '../event-store.port.js';
import type { ConnectionSettings } from './connection-settings.js';
import { isInvalidPosition, isType } from './failures.js';
import {
  logPositionOf,
  positionIn,
  storedEvent,
  type RecordedEvent,
  type SideStreamId,
  type StreamNames,
} from './records.js';
import { readSettled, type Patience } from './settled-reads.js';

type Cursor = 'start' | 'end' | LogPosition;

// The record at the cursor comes again, so a page of one would not move on.
const SMALLEST_PAGE = 2;

/** Reads of a server's log and streams, of which a part is ours. */
export class LogReader {
  /** Our newest event when the log was looked at last, and where the log ended then. */
  private known: { newest?: StoredEvent; logEnd: bigint } = { logEnd: -1n };

  /** A place before our first event, as far as the log has been read: what lies before it is somebody else's. */
  private beginning: Cursor = 'start';

  constructor(
    private readonly client: EventStoreDBClient,
    private readonly names: StreamNames,
    private readonly settings: Pick<ConnectionSettings, 'credentials' | 'shown'>,
    private readonly patience: Patience,
    /** Of a position that may lie between two records, one before it that does not. */
    private readonly knownUpTo: (position: Position) => Promise<Position>,
  ) {}

  async stream(stream: StreamId): Promise<StoredEvent[]> {
    const open = () => this.client.readStream(this.names.nameOf(stream), { credentials: this.settings.credentials });
    try {
      const events = await readSettled(stream, open, this.patience, isMissingStream);
      return events.flatMap(({ event }) => (event ? [storedEvent(stream, event)] : []));
    } catch (error) {
      if (isMissingStream(error)) return [];
      throw error;
    }
  }

  /** Position of our event at a revision. */
  async positionInStream(stream: StreamId | SideStreamId, revision: number): Promise<Position> {
    return positionIn(stream, (await this.eventIn(stream, revision))!);
  }

  /** One event of a stream, or its last one; undefined where there is none. */
  async eventIn(stream: StreamId | SideStreamId, revision: number | 'last'): Promise<RecordedEvent | undefined> {
    const options = {
      ...(revision === 'last'
        ? { direction: 'backwards' as const, fromRevision: 'end' as const }
        : { fromRevision: BigInt(revision) }),
      maxCount: 1,
      credentials: this.settings.credentials,
    };
    const open = () => this.client.readStream(this.names.nameOf(stream), options);
    try {
      const [found] = await readSettled(stream, open, this.patience, isMissingStream);
      return found?.event;
    } catch (error) {
      if (isMissingStream(error)) return undefined;
      throw error;
    }
  }

  /** Our newest event. What lies behind it is somebody else's, and is looked at once. */
  async newest(): Promise<StoredEvent | undefined> {
    let cursor: Cursor = 'end';
    let logEnd: bigint | undefined;
    const { known } = this;
    for (let size = SMALLEST_PAGE; ; size = Math.min(500, size * 8)) {
      const page = await this.page(cursor, size, 'backwards');
      for (const { event } of page) {
        if (!event) continue;
        logEnd ??= event.position.commit;
        if (event.position.commit <= known.logEnd) return this.remember(known.newest, logEnd);
        const stream = this.names.streamOf(event.streamId);
        if (stream) return this.remember(storedEvent(stream, event), logEnd);
      }
      if (page.length < size) return this.remember(undefined, logEnd ?? -1n);
      cursor = cursorOf(page);
    }
  }

  /** Our events after a position, in order, page by page, to the end of the log as it is found. */
  async *eventsAfter(after: Position, pageSize: number): AsyncGenerator<StoredEvent[]> {
    let cursor: Cursor = after === 0 ? this.beginning : logPositionOf(after);
    let last = BigInt(after);
    let first = true;
    const size = pageSize + 1; // the record at the cursor comes again
    for (;;) {
      let page: AllStreamResolvedEvent[];
      try {
        page = await this.page(cursor, size, 'forwards');
      } catch (error) {
        if (!isInvalidPosition(error) || !first) throw error;
        // No record begins at the number that was asked for: read from one before it.
        const from = await this.knownUpTo(after);
        cursor = from === 0 ? this.beginning : logPositionOf(from);
        first = false;
        continue;
      }
      const events: StoredEvent[] = [];
      let foreign = true;
      for (const { event } of page) {
        const stream = event && this.names.streamOf(event.streamId);
        if (!stream) continue;
        foreign = false;
        if (event.position.commit <= last) continue;
        last = event.position.commit;
        events.push(storedEvent(stream, event));
      }
      if (events.length > 0) yield events;
      if (page.length < size) return;
      if (foreign && cursor === this.beginning) this.beginning = cursorOf(page);
      cursor = cursorOf(page);
      first = false;
    }
  }

  private page(
    fromPosition: Cursor,
    maxCount: number,
    direction: 'forwards' | 'backwards',
  ): Promise<AllStreamResolvedEvent[]> {
    const { credentials } = this.settings;
    const open = () => this.client.readAll({ fromPosition, maxCount, direction, credentials });
    return readSettled(`the log of ${this.settings.shown}`, open, this.patience, isInvalidPosition);
  }

  private remember(newest: StoredEvent | undefined, logEnd: bigint): StoredEvent | undefined {
    if (logEnd > this.known.logEnd) this.known = { ...(newest && { newest }), logEnd };
    return newest;
  }
}

const isMissingStream = (error: unknown): boolean => isType(error, 'stream-not-found');

const cursorOf = (page: readonly AllStreamResolvedEvent[]): Cursor => {
  const { event, link, commitPosition } = page.at(-1)!;
  return event?.position ?? link?.position ?? { commit: commitPosition!, prepare: commitPosition! };
};
