import { bytesOfUuid } from '#libs/kernel';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import type { Position, StreamId, StreamRevision } from '../event-store.port.js';
import { partsOfStream } from '../new-events.js';
import { readMark, writeMark } from './events-file.js';
import type { GroupCommit } from './group-commit.js';
import { INDEXED_THROUGH, placeHashOf } from './log-queries.js';
import { PositionTable } from './position-table.js';

/** Where a stream stands: its last revision, -1 for none, and the positions of what is being added to it. */
export interface StreamPlace {
  /** Number under which its events are found. */
  hash: number;
  revision: StreamRevision;
  positions: Position[];
}

// Entries of one slice: a few milliseconds of writing, between which appends have their turn.
const SLICE = 2048;

/**
 * Finds a stream's events. Newer events are known in memory only; older ones by the table `place`, into which the
 * newer ones are moved once there are enough of them: sorted, so that a page is written once for many entries. The
 * memory needs no saving: it is read from the log after the mark, in a fraction of a second.
 */
export class StreamPlaces {
  private recent = new PositionTable();
  /** What is being moved into `place`, and not yet complete there. */
  private moving: PositionTable | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly db: SqliteDatabase,
    private readonly commits: GroupCommit,
    /** Newer events held in memory before they are moved; it grows with the log, as a move costs more in a large one. */
    private readonly moveAt: (head: Position) => number = (head) => Math.min(131_072, Math.max(32_768, head >> 6)),
  ) {
    let after = readMark(db, INDEXED_THROUGH);
    const page = db.prepare('SELECT position, stream FROM event WHERE position > ? ORDER BY position LIMIT 5000');
    for (;;) {
      const rows = page.all<{ position: number; stream: ArrayBuffer }>([after]);
      for (const { position, stream } of rows) this.recent.add(placeHashOf(Buffer.from(stream)), position);
      if (rows.length === 0) return;
      after = rows.at(-1)!.position;
    }
  }

  /** Where each of these streams stands, with no positions yet; asks the file once for all new ones of them. */
  locate(streams: Iterable<{ stream: StreamId; hash: number }>): Map<StreamId, StreamPlace> {
    const places = new Map<StreamId, StreamPlace>();
    const asked: [stream: StreamId, place: StreamPlace][] = [];
    for (const { stream, hash } of streams) {
      if (places.has(stream)) continue;
      const place: StreamPlace = { hash, revision: -1, positions: [] };
      places.set(stream, place);
      if (this.recent.has(hash) || this.moving?.has(hash)) place.revision = this.revisionOf(stream, hash);
      else asked.push([stream, place]);
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
        if (present.has(place.hash)) place.revision = this.revisionOf(stream, place.hash);
    return places;
  }

  /** Positions at which the events of a stream are, among possibly others of streams with the same hash. */
  positions(hash: number): Position[] {
    const positions = this.db
      .prepare('SELECT position FROM place WHERE hash = ?')
      .all<{ position: number }>([hash])
      .map(({ position }) => position);
    this.moving?.find(hash, positions);
    this.recent.find(hash, positions);
    return positions;
  }

  /** What a commit has added. */
  add({ hash, positions }: StreamPlace): void {
    for (const position of positions) this.recent.add(hash, position);
  }

  /** Moves newer events into `place` when there are enough; a move that failed is tried again when it is due again. */
  async moveWhenDue(head: Position): Promise<void> {
    if (!this.running && this.recent.size >= this.moveAt(head)) await this.moveRecent();
  }

  /** Moves all that is in memory only, so that the next start finds nothing to read. */
  async moveAll(): Promise<void> {
    await this.running?.catch(() => undefined);
    while (this.moving || this.recent.size > 0) await this.moveRecent();
  }

  private moveRecent(): Promise<void> {
    if (!this.moving) [this.moving, this.recent] = [this.recent, new PositionTable()];
    return (this.running = this.move(this.moving).finally(() => (this.running = undefined)));
  }

  private async move(moving: PositionTable): Promise<void> {
    const entries = moving.sorted();
    const through = entries.reduce((highest, [, position]) => Math.max(highest, position), 0);
    const insert = this.db.prepare(
      // A move that was cut short has left entries behind.
      'INSERT OR IGNORE INTO place SELECT value ->> 0, value ->> 1 FROM json_each(?)',
    );
    for (let i = 0; i < entries.length; i += SLICE)
      await this.commits.enqueue({ run: () => insert.run([JSON.stringify(entries.slice(i, i + SLICE))]) });
    await this.commits.enqueue({
      run: () => writeMark(this.db, INDEXED_THROUGH, through),
      committed: () => (this.moving = undefined),
    });
  }

  private revisionOf(stream: StreamId, hash: number): StreamRevision {
    const { category, id } = partsOfStream(stream);
    const last = this.db
      .prepare(
        `SELECT max(revision) AS revision FROM event
         WHERE position IN (SELECT value FROM json_each(?)) AND stream = ? AND category = ?`,
      )
      .first<{ revision: number | null }>([JSON.stringify(this.positions(hash)), bytesOfUuid(id), category]);
    return last?.revision ?? -1;
  }
}
