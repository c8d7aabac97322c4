import { bytesOfUuid } from '#libs/kernel';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';
import { CatchUpSubscription, Subscriptions } from '../catch-up-subscription.js';
import type { EventLog, RawEvent, RawEventLog } from '../event-log.port.js';
import type { Position, ReadAllOptions, StoredEvent, StreamId, Subscription } from '../event-store.port.js';
import type { Installation } from '../installation.js';
import { partsOfStream } from '../new-events.js';
import { recall } from './events-file.js';
import { LogQueries, placeHashOf } from './log-queries.js';

/**
 * The read half over the file of a running (or resting) store, for another thread or another process. It sees what is
 * committed. Nobody polls: whoever owns the writer passes its commits on (`SqliteEventStore.onAppended`) to `notify`.
 */
export class SqliteEventLogReader implements EventLog, RawEventLog {
  /** The connection, for what else lives in the file. */
  readonly db: SqliteDatabase;
  private readonly queries: LogQueries;
  private readonly subscriptions = new Subscriptions();

  private constructor(file: string) {
    this.db = openSqlite(file, { readonly: true, cacheKiB: 2048 });
    this.queries = new LogQueries(this.db);
  }

  /** @throws HubError `SQLITE.FILE_MISSING` */
  static open({ file }: { file: string }): SqliteEventLogReader {
    return new SqliteEventLogReader(file);
  }

  async read(stream: StreamId): Promise<StoredEvent[]> {
    const { category, id } = partsOfStream(stream);
    const bytes = bytesOfUuid(id);
    return this.queries.stream(placeHashOf(bytes), bytes, category);
  }

  readAll(options: ReadAllOptions): AsyncGenerator<StoredEvent[]> {
    return this.queries.pages(options, this.queries.head(), this.queries.toEvent);
  }

  readAllRaw(options: ReadAllOptions): AsyncGenerator<RawEvent[]> {
    return this.queries.pages(options, this.queries.head(), this.queries.toRawEvent);
  }

  subscribe(after: Position, handle: (events: StoredEvent[]) => Promise<void>): Subscription {
    const pageAfter = (position: Position): StoredEvent[] => this.queries.pageAfter(position, 500);
    return this.subscriptions.add(new CatchUpSubscription(after, pageAfter, handle));
  }

  /** What belongs to the log. */
  readonly installation: Pick<Installation, 'recall'> = { recall: async (name) => recall(this.db, name) };

  /** Tells the subscriptions that the writer has committed. */
  notify(): void {
    this.subscriptions.wake();
  }

  async head(): Promise<Position> {
    return this.queries.head();
  }

  async recordedBy(instantMs: number): Promise<Position> {
    return this.queries.recordedBy(instantMs);
  }

  async close(): Promise<void> {
    await this.subscriptions.stop();
    this.db.close();
  }
}
