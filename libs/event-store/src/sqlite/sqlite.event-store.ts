import { bytesOfUuid, SystemClock, type Clock } from '#libs/kernel';
import type { SqliteValue } from '#libs/kernel/sqlite.js';
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
import { openEventsFile, type EventsFile } from './events-file.js';
import { LogQueries, placeHashOf } from './log-queries.js';
import { StreamPlaces, type StreamPlace } from './stream-places.js';

export interface SqliteEventStoreOptions {
  /** Path of the file; its directory exists. One store at a time may have it open. */
  file: string;
  /** @default the system's */
  clock?: Clock;
}

interface WaitingAppend {
  stream: StreamId;
  category: number;
  streamBytes: Buffer;
  hash: number;
  events: readonly NewEvent[];
  /** What the file keeps of each. */
  texts: string[];
  expected: ExpectedRevision;
  resolve: (receipt: AppendReceipt) => void;
  reject: (error: unknown) => void;
}

/** What became of a group of appends: an answer each, and what the file holds more than before. */
interface DecidedGroup {
  answers: (() => void)[];
  places: Map<StreamId, StreamPlace>;
  appended: StoredEvent[];
  head: Position;
}

// One statement takes so many rows; the rest of a group goes one by one.
const ROWS_A_STATEMENT = 40;
const COLUMNS = 9;

const insertOf = (rows: number): string => {
  const row = `(${Array.from({ length: COLUMNS }, () => '?').join(', ')})`;
  return `INSERT INTO event VALUES ${Array.from({ length: rows }, () => row).join(', ')}`;
};
const INSERT_MANY = insertOf(ROWS_A_STATEMENT);
const INSERT_ONE = insertOf(1);
const INSERT_TRACE = 'INSERT INTO trace VALUES (?, ?)';

/**
 * Streams of events in one SQLite file. All appends of a turn share a transaction and a sync; each is checked against
 * the log as the ones before it leave it. Positions are contiguous from 1.
 */
export class SqliteEventStore extends EventStore implements RawEventLog, AppendFeed {
  private readonly queries: LogQueries;
  private readonly subscriptions = new Subscriptions();
  private readonly appendListeners = new Set<(events: readonly StoredEvent[]) => void>();
  private waiting: WaitingAppend[] = [];
  private headPosition: Position;
  private lastRecordedAtMs: number;
  private closed = false;

  /** @param file shared with the other adapters of `events.db`; closed by whoever opened it */
  constructor(
    private readonly file: EventsFile,
    private readonly clock: Clock = new SystemClock(),
    private readonly places: StreamPlaces = new StreamPlaces(file.db, file.commits),
  ) {
    super();
    this.queries = new LogQueries(file.db);
    this.headPosition = this.queries.head();
    this.lastRecordedAtMs = this.queries.lastRecordedAt();
  }

  /** A store that owns its file. */
  static open({ file, clock }: SqliteEventStoreOptions): SqliteEventStore {
    const events = openEventsFile(file);
    const store = new SqliteEventStore(events, clock);
    store.closeFile = () => events.close();
    return store;
  }

  private closeFile: () => void = () => undefined;

  async read(stream: StreamId): Promise<StoredEvent[]> {
    const { category, id } = partsOfStream(stream);
    const bytes = bytesOfUuid(id);
    const positions = this.places.positions(placeHashOf(bytes));
    if (positions.length === 0) return [];
    return this.queries.streamAmong(positions, bytes, category);
  }

  append(stream: StreamId, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendReceipt> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw storeClosed();
      const { category, id } = partsOfStream(stream);
      checkAppend(stream, events, expected);
      const texts = events.map(({ data, json }) => json ?? JSON.stringify(data));
      const streamBytes = bytesOfUuid(id);
      const hash = placeHashOf(streamBytes);
      this.waiting.push({ stream, category, streamBytes, hash, events, texts, expected, resolve, reject });
      if (this.waiting.length === 1) this.enqueueGroup();
    });
  }

  readAll(options: ReadAllOptions): AsyncGenerator<StoredEvent[]> {
    return this.queries.pages(options, this.headPosition, this.queries.toEvent);
  }

  readAllRaw(options: ReadAllOptions): AsyncGenerator<RawEvent[]> {
    return this.queries.pages(options, this.headPosition, this.queries.toRawEvent);
  }

  subscribe(after: Position, handle: (events: StoredEvent[]) => Promise<void>): Subscription {
    if (this.closed) throw storeClosed();
    const pageAfter = (position: Position): StoredEvent[] =>
      position < this.headPosition ? this.queries.pageAfter(position, 500) : [];
    return this.subscriptions.add(new CatchUpSubscription(after, pageAfter, handle));
  }

  onAppended(listener: (events: readonly StoredEvent[]) => void): () => void {
    this.appendListeners.add(listener);
    return () => void this.appendListeners.delete(listener);
  }

  async head(): Promise<Position> {
    return this.headPosition;
  }

  async recordedBy(instantMs: number): Promise<Position> {
    return this.queries.recordedBy(instantMs);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.subscriptions.stop();
    // A disk without space leaves them to the next start, which reads them from the log.
    await this.places.moveAll().catch(() => undefined);
    this.closeFile();
  }

  private enqueueGroup(): void {
    let group: WaitingAppend[] = [];
    const takeGroup = (): WaitingAppend[] => {
      if (this.waiting.length > 0) [group, this.waiting] = [this.waiting, []];
      return group;
    };
    this.file.commits
      .enqueue({
        run: () => this.decide(takeGroup()),
        undoAlone: true,
        committed: (decided) => this.accept(decided),
        undone: () => this.queries.names.reload(),
      })
      .then(
        ({ answers }) => answers.forEach((answer) => answer()),
        (error: unknown) => takeGroup().forEach(({ reject }) => reject(error)),
      );
  }

  /** Inside the transaction: no memory but the name tables changes before the commit. */
  private decide(group: readonly WaitingAppend[]): DecidedGroup {
    const places = this.places.locate(group);
    const recordedAtMs = this.clock.nowMs();
    const appended: StoredEvent[] = [];
    const answers: (() => void)[] = [];
    let rows: SqliteValue[] = [];
    const traces: SqliteValue[] = [];
    let head = this.headPosition;
    for (const append of group) {
      const { stream, category, streamBytes, events, texts, expected, resolve, reject } = append;
      const place = places.get(stream)!;
      if (place.revision !== revisionBefore(expected)) {
        const actual = place.revision;
        this.insert(rows);
        rows = [];
        const original = this.originalOf(append, place.positions);
        answers.push(original ? () => resolve(original) : () => reject(revisionConflict(stream, expected, actual)));
        continue;
      }
      for (const [i, event] of events.entries()) {
        const position = ++head;
        const revision = ++place.revision;
        place.positions.push(position);
        rows.push(
          position, streamBytes, category, revision, this.queries.names.typeKey(event.type, event.schema),
          this.queries.names.tenantKey(event.tenant), recordedAtMs, bytesOfUuid(event.id), texts[i]!,
        ); // prettier-ignore
        const { id, type, schema, tenant, data, traceparent } = event;
        const stored: StoredEvent = { position, stream, revision, id, type, schema, tenant, recordedAtMs, data };
        if (traceparent !== undefined) {
          stored.traceparent = traceparent;
          traces.push(position, traceparent);
        }
        appended.push(stored);
      }
      const receipt: AppendReceipt = { position: head, revision: place.revision };
      answers.push(() => resolve(receipt));
    }
    this.insert(rows);
    for (let i = 0; i < traces.length; i += 2) this.file.db.prepare(INSERT_TRACE).run(traces.slice(i, i + 2));
    if (appended.length > 0 && recordedAtMs < this.lastRecordedAtMs)
      this.file.db
        .prepare('INSERT INTO clock_set_back VALUES (?, ?)')
        .run([appended[0]!.position, this.lastRecordedAtMs]);
    return { answers, places, appended, head };
  }

  private accept({ places, appended, head }: DecidedGroup): void {
    if (appended.length === 0) return;
    this.headPosition = head;
    this.lastRecordedAtMs = appended[0]!.recordedAtMs;
    for (const place of places.values()) this.places.add(place);
    for (const listener of this.appendListeners) listener(appended);
    this.subscriptions.wake();
    // A move that fails for want of space is tried again after a later commit.
    this.places.moveWhenDue(head).catch(() => undefined);
  }

  private insert(rows: readonly SqliteValue[]): void {
    const many = ROWS_A_STATEMENT * COLUMNS;
    let i = 0;
    for (; i + many <= rows.length; i += many) this.file.db.prepare(INSERT_MANY).run(rows.slice(i, i + many));
    for (; i < rows.length; i += COLUMNS) this.file.db.prepare(INSERT_ONE).run(rows.slice(i, i + COLUMNS));
  }

  /** The receipt of the append that these events repeat, if they do. */
  private originalOf(
    { category, streamBytes, hash, events, expected }: WaitingAppend,
    fresh: readonly Position[],
  ): AppendReceipt | undefined {
    const first = revisionBefore(expected) + 1;
    const place = this.queries
      .streamAmong([...this.places.positions(hash), ...fresh], streamBytes, category)
      .slice(first, first + events.length);
    const last = place.at(-1);
    if (!last || place.length < events.length) return undefined;
    const same = events.every((event, i) => event.id === place[i]!.id);
    return same ? { position: last.position, revision: last.revision } : undefined;
  }
}
