import { bytesOfUuid, uuidOfBytes } from '#libs/kernel';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import type { Position, StreamId, StreamRevision } from '../event-store.port.js';
import { categoryOfNumber, partsOfStream } from '../new-events.js';
import { readMark, writeMark } from './events-file.js';
import type { GroupCommit } from './group-commit.js';
import { INDEXED_THROUGH, placeHashOf } from './log-queries.js';

/** Where a stream stands: its last revision, -1 for none, and the positions of those of its events that are newer. */
export interface StreamPlace {
  /** Number under which the table `place` finds it. */
  hash: number;
  revision: StreamRevision;
  positions: Position[];
}

// Entries of one slice: a few milliseconds of writing, between which appends have their turn.
const SLICE = 2048;

type Recent = Map<StreamId, StreamPlace>;

/**
 * Finds a stream's events. Newer events are known in memory only; older ones by the table `place`, into which the
 * newer ones are moved once there are enough of them: sorted, so that a page is written once for many entries. The
 * memory needs no saving: it is read from the log after the mark, in a fraction of a second.
 */
export class StreamPlaces {
  private recent: Recent = new Map();
  /** What is being moved into `place`, and not yet complete there. */
  private moving: Recent = new Map();
  private recentEvents = 0;
  private moveRunning = false;

  constructor(
    private readonly db: SqliteDatabase,
    private readonly commits: GroupCommit,
    /** Newer events held in memory before they are moved; it grows with the log, as a move costs more in a large one. */
    private readonly moveAt: (head: Position) => number = (head) => Math.min(131_072, Math.max(32_768, head >> 6)),
  ) {
    let after = readMark(db, INDEXED_THROUGH);
    const page = db.prepare(
      'SELECT position, stream, category, revision FROM event WHERE position > ? ORDER BY position LIMIT 5000',
    );
    for (;;) {
      const rows = page.all<{ position: number; stream: ArrayBuffer; category: number; revision: number }>([after]);
      for (const row of rows)
        this.add(`${categoryOfNumber(row.category)}-${uuidOfBytes(row.stream)}`, {
          hash: placeHashOf(Buffer.from(row.stream)),
          revision: row.revision,
          positions: [row.position],
        });
      if (rows.length === 0) return;
      after = rows.at(-1)!.position;
    }
  }

  /** Where each of these streams stands, with no positions yet; asks the file once for all of them. */
  locate(streams: Iterable<{ stream: StreamId; hash: number }>): Map<StreamId, StreamPlace> {
    const places = new Map<StreamId, StreamPlace>();
    const asked: [stream: StreamId, place: StreamPlace][] = [];
    for (const { stream, hash } of streams) {
      if (places.has(stream)) continue;
      const known = this.recent.get(stream) ?? this.moving.get(stream);
      const place = { hash, revision: known?.revision ?? -1, positions: [] };
      places.set(stream, place);
      if (!known) asked.push([stream, place]);
    }
    if (asked.length === 0) return places;
    const present = new Set(
      this.db
        .prepare('SELECT p.hash AS hash FROM json_each(?) AS asked CROSS JOIN place AS p ON p.hash = asked.value')
        .all<{ hash: number }>([JSON.stringify(asked.map(([, { hash }]) => hash))])
        .map(({ hash }) => hash),
    );
    if (present.size > 0)
      for (const [stream, place] of asked)
        if (present.has(place.hash)) place.revision = this.storedRevision(stream, place.hash);
    return places;
  }

  /** Positions at which the events of a stream are, among possibly others of streams with the same hash. */
  positions(stream: StreamId, hash: number): Position[] {
    const stored = this.db
      .prepare('SELECT position FROM place WHERE hash = ?')
      .all<{ position: number }>([hash])
      .map(({ position }) => position);
    const newer = [this.moving, this.recent].flatMap((places) => places.get(stream)?.positions ?? []);
    return newer.length === 0 ? stored : [...new Set([...stored, ...newer])];
  }

  /** What a commit has added. */
  add(stream: StreamId, place: StreamPlace): void {
    const known = this.recent.get(stream);
    if (known) {
      known.revision = place.revision;
      known.positions.push(...place.positions);
    } else this.recent.set(stream, place);
    this.recentEvents += place.positions.length;
  }

  /** Moves newer events into `place` when there are enough; a move that failed is tried again when it is due again. */
  async moveWhenDue(head: Position): Promise<void> {
    if (this.moveRunning || this.recentEvents < this.moveAt(head)) return;
    this.moveRunning = true;
    if (this.moving.size === 0) {
      [this.moving, this.recent] = [this.recent, new Map()];
      this.recentEvents = 0;
    }
    try {
      await this.move();
    } finally {
      this.moveRunning = false;
    }
  }

  private async move(): Promise<void> {
    const entries: [hash: number, position: number][] = [];
    let through = 0;
    for (const { hash, positions } of this.moving.values())
      for (const position of positions) {
        entries.push([hash, position]);
        through = Math.max(through, position);
      }
    entries.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const insert = this.db.prepare(
      // A move that was cut short has left entries behind.
      'INSERT OR IGNORE INTO place SELECT value ->> 0, value ->> 1 FROM json_each(?)',
    );
    for (let i = 0; i < entries.length; i += SLICE)
      await this.commits.enqueue({ run: () => insert.run([JSON.stringify(entries.slice(i, i + SLICE))]) });
    await this.commits.enqueue({
      run: () => writeMark(this.db, INDEXED_THROUGH, through),
      committed: () => (this.moving = new Map()),
    });
  }

  private storedRevision(stream: StreamId, hash: number): StreamRevision {
    const { category, id } = partsOfStream(stream);
    const last = this.db
      .prepare(
        `SELECT e.revision AS revision FROM place AS p CROSS JOIN event AS e ON e.position = p.position
         WHERE p.hash = ? AND e.stream = ? AND e.category = ? ORDER BY p.position DESC LIMIT 1`,
      )
      .first<{ revision: number }>([hash, bytesOfUuid(id), category]);
    return last?.revision ?? -1;
  }
}
