import { chmodSync } from 'node:fs';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';
import { GroupCommit } from './group-commit.js';

// `event` has no index but its key. Stream ids are hashes, so an index over them would be written at a random page for
// every event (measured: 47,000 appends a second on an empty file, 21,000 at 600,000 events). `place` holds what such
// an index would, and is filled later, in sorted slices (stream-places.ts). recorded_at needs none either: it grows with
// the position, except at the events named by `clock_set_back`.
const schema = `
  CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY, stream BLOB NOT NULL, category INTEGER NOT NULL, revision INTEGER NOT NULL,
    type INTEGER NOT NULL, tenant INTEGER NOT NULL, recorded_at INTEGER NOT NULL, id BLOB NOT NULL, data TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS place (hash INTEGER, position INTEGER, PRIMARY KEY (hash, position)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS event_type (
    key INTEGER PRIMARY KEY, name TEXT NOT NULL, schema INTEGER NOT NULL, UNIQUE (name, schema)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS tenant (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS trace (position INTEGER PRIMARY KEY, traceparent TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS clock_set_back (position INTEGER PRIMARY KEY, showed_before INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS installation (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS ledger (
    tenant TEXT NOT NULL, channel TEXT NOT NULL, account TEXT NOT NULL, recorded INTEGER NOT NULL,
    duplicate INTEGER NOT NULL, corrected INTEGER NOT NULL, parked INTEGER NOT NULL,
    PRIMARY KEY (tenant, channel, account)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS parked (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, tenant TEXT NOT NULL, channel TEXT NOT NULL,
    account TEXT NOT NULL, stage TEXT NOT NULL, reason_code TEXT NOT NULL, reason TEXT NOT NULL,
    attempts INTEGER NOT NULL, received_at INTEGER NOT NULL, parked_at INTEGER NOT NULL, status TEXT NOT NULL,
    content_type TEXT NOT NULL, receipt TEXT, outcome TEXT, discarded_by TEXT, discard_reason TEXT, bytes BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS parked_of_tenant ON parked (tenant, status, number);`;

/** `events.db`: the log, and what must be durable together with it. One writer; its adapters share one group commit. */
export interface EventsFile {
  readonly db: SqliteDatabase;
  readonly commits: GroupCommit;
  /** Commits what is queued and closes. */
  close(): void;
}

export const openEventsFile = (file: string): EventsFile => {
  const db = openSqlite(file, { synchronous: 'full', cacheKiB: 12_288, pageBytes: 16_384 });
  chmodSync(file, 0o600);
  db.exec(schema);
  const commits = new GroupCommit(db, file);
  return {
    db,
    commits,
    close: () => {
      commits.close();
      db.close();
    },
  };
};

export const readMark = (db: SqliteDatabase, name: string): number =>
  db.prepare('SELECT position FROM mark WHERE name = ?').first<{ position: number }>([name])?.position ?? 0;

export const writeMark = (db: SqliteDatabase, name: string, position: number): void =>
  void db
    .prepare('INSERT INTO mark VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position')
    .run([name, position]);

/** A value that belongs to the installation. */
export const recall = (db: SqliteDatabase, name: string): string | undefined =>
  db.prepare('SELECT value FROM installation WHERE name = ?').first<{ value: string }>([name])?.value;

export const remember = (db: SqliteDatabase, name: string, value: string): void => {
  if (recall(db, name) !== value) db.prepare('INSERT OR REPLACE INTO installation VALUES (?, ?)').run([name, value]);
};
