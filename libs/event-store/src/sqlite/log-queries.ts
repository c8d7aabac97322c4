import { setImmediate as nextTurn } from 'node:timers/promises';
import { uuidOfHex } from '#libs/kernel';
import type { SqliteDatabase, SqliteValue } from '#libs/kernel/sqlite.js';
import type { RawEvent } from '../event-log.port.js';
import type { Position, ReadAllOptions, StoredEvent } from '../event-store.port.js';
import { categoryOfNumber } from '../new-events.js';
import { batchSizeOf } from '../read-all.js';
import { NameTables } from './name-tables.js';

/** Name under which the position is kept up to which `place` is complete. */
export const INDEXED_THROUGH = 'indexed_through';

// What stands in an event's row beside its data.
type Head = [
  stream: string,
  id: string,
  position: Position,
  category: number,
  revision: number,
  type: number,
  tenant: number,
  recordedAtMs: number,
];

type MapEvent<T> = (head: Head, json: string) => T;

// Every value that crosses the driver has its price, a blob above all. So many events cross as two texts: a JSON array
// of their heads, and their data in lines (written by JSON.stringify, so no line feed is inside). SQLite hands an
// aggregate the rows in the order of its subquery.
const packed = (events: string): string =>
  `SELECT json_group_array(json_array(hex(stream), hex(id), position, category, revision, type, tenant, recorded_at)) AS heads,
     group_concat(data, char(10)) AS texts
   FROM (${events})`;

const PAGE_AFTER = packed('SELECT * FROM event WHERE position > ? ORDER BY position LIMIT ?');

const STREAM_AMONG = packed(
  `SELECT * FROM event
   WHERE position IN (SELECT value FROM json_each(?)) AND stream = ? AND category = ? ORDER BY position`,
);

const STREAM = packed(
  `SELECT * FROM event
   WHERE position IN (SELECT position FROM place WHERE hash = ?) AND stream = ? AND category = ?
   UNION
   SELECT * FROM event
   WHERE position > coalesce((SELECT position FROM mark WHERE name = '${INDEXED_THROUGH}'), 0)
     AND stream = ? AND category = ?
   ORDER BY position`,
);

// Events that cross at once: what they leave behind should die young (measured: half the processor time of 2,000).
const SLICE = 100;

// A filtered read looks at so many events before it lets others have a turn, however few of them it wants.
const SCAN_WINDOW = 10_000;

/** Number under which a stream's events are found in `place`: 48 bits of its id. Streams may share one, so who asks compares the stream as well. */
export const placeHashOf = (stream: Buffer): number => (stream.readUIntBE(0, 6) + stream.readUIntBE(10, 6)) % 2 ** 48;

/** What the writer and every reader ask `events.db`. */
export class LogQueries {
  readonly names: NameTables;
  /** A file of an earlier release, opened by a reader alone, has none. */
  private readonly hasTraces: boolean;

  constructor(private readonly db: SqliteDatabase) {
    this.names = new NameTables(db);
    this.hasTraces = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'trace'").first([]) !== undefined;
  }

  head(): Position {
    return this.db.prepare('SELECT max(position) AS head FROM event').first<{ head: number | null }>([])?.head ?? 0;
  }

  /** The store's clock when the newest event was recorded, epoch milliseconds; 0 when there is none. */
  lastRecordedAt(): number {
    return (
      this.db.prepare('SELECT recorded_at AS at FROM event ORDER BY position DESC LIMIT 1').first<{ at: number }>([])
        ?.at ?? 0
    );
  }

  /** Position before the first event recorded later than an instant: by halves of the stretch in which the clock only ran on. */
  recordedBy(instantMs: number): Position {
    const { db } = this;
    const stretchEnd = db
      .prepare('SELECT position FROM clock_set_back WHERE showed_before > ? ORDER BY position LIMIT 1')
      .first<{ position: number }>([instantMs])?.position;
    const end = stretchEnd ?? this.head() + 1;
    let low = db
      .prepare('SELECT coalesce(max(position), 1) AS position FROM clock_set_back WHERE position < ?')
      .first<{ position: number }>([end])!.position;
    const at = db.prepare('SELECT recorded_at AS at FROM event WHERE position >= ? ORDER BY position LIMIT 1');
    for (let high = end; low < high;) {
      const middle = Math.floor((low + high) / 2);
      if (at.first<{ at: number }>([middle])!.at > instantMs) high = middle;
      else low = middle + 1;
    }
    return db.prepare('SELECT coalesce(max(position), 0) AS position FROM event WHERE position < ?').first<{
      position: number;
    }>([low])!.position;
  }

  /** Up to `limit` events after a position, without filter. */
  pageAfter(after: Position, limit: number): StoredEvent[] {
    const events: StoredEvent[] = [];
    for (let last = after; events.length < limit;) {
      const wanted = Math.min(SLICE, limit - events.length);
      const slice = this.traced(this.read(PAGE_AFTER, [last, wanted], this.toEvent));
      events.push(...slice);
      if (slice.length < wanted) break;
      last = slice.at(-1)!.position;
    }
    return events;
  }

  /** Events of one stream among these positions, in order. */
  streamAmong(positions: readonly Position[], stream: Buffer, category: number): StoredEvent[] {
    return this.read(STREAM_AMONG, [JSON.stringify(positions), stream, category], this.toEvent);
  }

  /** Events of one stream for a connection that does not know the writer's memory; one statement is one snapshot. */
  stream(hash: number, stream: Buffer, category: number): StoredEvent[] {
    return this.read(STREAM, [hash, stream, category, stream, category], this.toEvent);
  }

  async *pages<T extends { position: Position; traceparent?: string }>(
    options: ReadAllOptions,
    head: Position,
    map: MapEvent<T>,
  ): AsyncGenerator<T[]> {
    const size = batchSizeOf(options);
    const filtered = options.tenant !== undefined || options.types !== undefined;
    if (filtered) this.names.reload();
    const filters: [string, SqliteValue][] = [];
    if (options.tenant !== undefined) filters.push(['tenant = ?', this.names.keyOfTenant(options.tenant)]);
    if (options.types)
      filters.push(['type IN (SELECT value FROM json_each(?))', JSON.stringify(this.names.keysOfTypes(options.types))]);
    const page =
      packed(`SELECT * FROM event WHERE position > ? AND position <= ?${filters.map(([test]) => ` AND ${test}`).join('')}
       ORDER BY position LIMIT ?`);
    const wanted = filters.map(([, value]) => value);
    const through = Math.min(options.through ?? head, head);
    let batch: T[] = [];
    for (let after = options.after; after < through;) {
      const until = Math.min(after + (filtered ? SCAN_WINDOW : SLICE), through);
      const limit = Math.min(SLICE, size - batch.length);
      const slice = this.traced(this.read(page, [after, until, ...wanted, limit], map));
      batch.push(...slice);
      after = slice.length === limit ? slice.at(-1)!.position : until;
      if (batch.length === size) {
        yield batch;
        batch = [];
      }
      await nextTurn();
    }
    if (batch.length > 0) yield batch;
  }

  readonly toEvent = (head: Head, json: string): StoredEvent => {
    const event = this.envelopeOf(head) as StoredEvent;
    event.data = JSON.parse(json) as object;
    return event;
  };

  readonly toRawEvent = (head: Head, json: string): RawEvent => {
    const event = this.envelopeOf(head) as RawEvent;
    event.json = json;
    return event;
  };

  private read<T>(packedEvents: string, parameters: readonly SqliteValue[], map: MapEvent<T>): T[] {
    const { heads, texts } = this.db.prepare(packedEvents).first<{ heads: string; texts: string | null }>(parameters)!;
    const lines = texts?.split('\n') ?? [];
    return (JSON.parse(heads) as Head[]).map((head, i) => map(head, lines[i]!));
  }

  /** Most logs hold no traces: one look a slice tells. */
  private traced<T extends { position: Position; traceparent?: string }>(slice: T[]): T[] {
    if (!this.hasTraces || slice.length === 0) return slice;
    const { traces } = this.db
      .prepare('SELECT json_group_object(position, traceparent) AS traces FROM trace WHERE position BETWEEN ? AND ?')
      .first<{ traces: string }>([slice[0]!.position, slice.at(-1)!.position])!;
    if (traces === '{}') return slice;
    const found = JSON.parse(traces) as Record<string, string>;
    for (const event of slice) {
      const traceparent = found[event.position];
      if (traceparent !== undefined) event.traceparent = traceparent;
    }
    return slice;
  }

  private envelopeOf([stream, id, position, category, revision, type, tenant, recordedAtMs]: Head): Omit<
    StoredEvent,
    'data'
  > {
    const { name, schema } = this.names.type(type);
    return {
      position,
      stream: `${categoryOfNumber(category)}-${uuidOfHex(stream)}`,
      revision,
      id: uuidOfHex(id),
      type: name,
      schema,
      tenant: this.names.tenant(tenant),
      recordedAtMs,
    };
  }
}
