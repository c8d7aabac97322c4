import { setImmediate as nextTurn } from 'node:timers/promises';
import { uuidOfBytes } from '#libs/kernel';
import type { SqliteDatabase, SqliteValue } from '#libs/kernel/sqlite.js';
import type { RawEvent } from '../event-log.port.js';
import type { Position, ReadAllOptions, StoredEvent } from '../event-store.port.js';
import { categoryOfNumber } from '../new-events.js';
import { batchSizeOf } from '../read-all.js';
import { NameTables } from './name-tables.js';

export interface EventRow {
  position: number;
  stream: ArrayBuffer | Uint8Array;
  category: number;
  revision: number;
  type: number;
  tenant: number;
  recorded_at: number;
  id: ArrayBuffer | Uint8Array;
  data: string;
}

const columns = 'position, stream, category, revision, type, tenant, recorded_at, id, data';

// A filtered read looks at so many events before it lets others have a turn, however few of them it wants.
const SCAN_WINDOW = 10_000;

/** Name under which the position is kept up to which `place` is complete. */
export const INDEXED_THROUGH = 'indexed_through';

/** Number under which a stream's events are found in `place`: 48 bits of its id. Streams may share one, so who asks compares the stream as well. */
export const placeHashOf = (stream: Buffer): number => (stream.readUIntBE(0, 6) + stream.readUIntBE(10, 6)) % 2 ** 48;

/** What the writer and every reader ask `events.db`. */
export class LogQueries {
  readonly names: NameTables;

  constructor(private readonly db: SqliteDatabase) {
    this.names = new NameTables(db);
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
  pageAfter(after: Position, limit: number): EventRow[] {
    return this.db
      .prepare(`SELECT ${columns} FROM event WHERE position > ? ORDER BY position LIMIT ?`)
      .all<EventRow>([after, limit]);
  }

  /** Events of one stream among these positions, in order. */
  streamAmong(positions: readonly Position[], stream: Buffer, category: number): EventRow[] {
    return this.db
      .prepare(
        `SELECT ${columns} FROM event
         WHERE position IN (SELECT value FROM json_each(?)) AND stream = ? AND category = ? ORDER BY position`,
      )
      .all<EventRow>([JSON.stringify(positions), stream, category]);
  }

  /** Events of one stream for a connection that does not know the writer's memory; one statement is one snapshot. */
  stream(hash: number, stream: Buffer, category: number): EventRow[] {
    return this.db
      .prepare(
        `SELECT ${columns} FROM event
         WHERE position IN (SELECT position FROM place WHERE hash = ?) AND stream = ? AND category = ?
         UNION
         SELECT ${columns} FROM event
         WHERE position > coalesce((SELECT position FROM mark WHERE name = '${INDEXED_THROUGH}'), 0)
           AND stream = ? AND category = ?
         ORDER BY position`,
      )
      .all<EventRow>([hash, stream, category, stream, category]);
  }

  async *pages<T>(options: ReadAllOptions, head: Position, map: (row: EventRow) => T): AsyncGenerator<T[]> {
    const size = batchSizeOf(options);
    const filtered = options.tenant !== undefined || options.types !== undefined;
    if (filtered) this.names.reload();
    const filters: [string, SqliteValue][] = [];
    if (options.tenant !== undefined) filters.push(['tenant = ?', this.names.keyOfTenant(options.tenant)]);
    if (options.types)
      filters.push(['type IN (SELECT value FROM json_each(?))', JSON.stringify(this.names.keysOfTypes(options.types))]);
    const page = this.db.prepare(
      `SELECT ${columns} FROM event WHERE position > ? AND position <= ?${filters.map(([test]) => ` AND ${test}`).join('')}
       ORDER BY position LIMIT ?`,
    );
    const wanted = filters.map(([, value]) => value);
    const through = Math.min(options.through ?? head, head);
    let batch: T[] = [];
    for (let after = options.after; after < through;) {
      const until = Math.min(after + (filtered ? SCAN_WINDOW : size), through);
      const limit = size - batch.length;
      const rows = page.all<EventRow>([after, until, ...wanted, limit]);
      for (const row of rows) batch.push(map(row));
      after = rows.length === limit ? rows.at(-1)!.position : until;
      if (batch.length === size) {
        yield batch;
        batch = [];
      }
      await nextTurn();
    }
    if (batch.length > 0) yield batch;
  }

  readonly toEvent = (row: EventRow): StoredEvent => {
    const event = this.envelopeOf(row) as StoredEvent;
    event.data = JSON.parse(row.data) as object;
    return event;
  };

  readonly toRawEvent = (row: EventRow): RawEvent => {
    const event = this.envelopeOf(row) as RawEvent;
    event.json = row.data;
    return event;
  };

  private envelopeOf(row: EventRow): Omit<StoredEvent, 'data'> {
    const type = this.names.type(row.type);
    return {
      position: row.position,
      stream: `${categoryOfNumber(row.category)}-${uuidOfBytes(row.stream)}`,
      revision: row.revision,
      id: uuidOfBytes(row.id),
      type: type.name,
      schema: type.schema,
      tenant: this.names.tenant(row.tenant),
      recordedAtMs: row.recorded_at,
    };
  }
}
