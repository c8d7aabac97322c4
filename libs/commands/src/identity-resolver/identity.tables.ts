import type { Days, EvidenceKind, FormerId, IdentityFacts, NameKey, Ruling } from '#libs/domain';
import type { StreamRevision } from '#libs/event-store';
import { uuidOfBytes, type Uuid } from '#libs/kernel';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';

/** What the log says of one pair: `none` once a link was retracted or a proposal closed. */
export type LinkStatus = 'none' | 'linked' | 'proposed';

/** A pair that has a link stream. A value: changed ones are put back with `putLink`. */
export interface KnownLink {
  readonly id: Uuid;
  /** Sorts before `b`. */
  readonly a: Uuid;
  readonly b: Uuid;
  readonly status: LinkStatus;
  /** What an agent said last. */
  readonly verdict?: Ruling['verdict'];
  /** Of the last event of the stream that is known, our own decisions of the running batch included; -1 for none. */
  readonly revision: StreamRevision;
}

/** The times an identity was somebody else's, as the log has them. A value: a changed one is put back with `putEras`. */
export interface KnownEras {
  /** Those it has, the oldest first. */
  readonly former: readonly FormerId[];
  /** Of the last event of its stream that is known, our own decisions of the running batch included; -1 for none. */
  readonly revision: StreamRevision;
}

/** Also every former era that it ever had. */
export interface StoredEras extends KnownEras {
  readonly ever: readonly Uuid[];
}

export interface IdentityRow {
  key: number;
  type: string;
  linkable: number;
  verified: number;
  carried: number;
  names: string | null;
  birthDates: string | null;
  ownFirst: number | null;
  ownLast: number | null;
  neighbours: number;
  /** JSON of its `StoredEras`; null where it was never divided. */
  eras: string | null;
  /** Id of the identity that it is a former era of. */
  whole: Uint8Array | null;
}

/** What was seen of a pair. */
export interface Together {
  /** Bits of `KINDS`. */
  kinds: number;
  /** Kept where an end has a time window. */
  days?: Days;
}

export interface TogetherRow {
  kinds: number;
  first: number | null;
  last: number | null;
}

export interface LinkRow {
  id: Uint8Array;
  a: Uint8Array;
  b: Uint8Array;
  status: number;
  verdict: number | null;
  revision: number;
}

/** Raised when the tables change; a file of another shape or of other rules is filled again from the log. */
export const SHAPE = 4;
// Stored numbers: never reorder, only add.
export const KINDS: readonly EvidenceKind[] = ['profile-import', 'identify', 'same-mailbox', 'same-interaction'];
export const STATUSES: readonly LinkStatus[] = ['none', 'linked', 'proposed'];
export const VERDICTS: readonly Ruling['verdict'][] = ['apart', 'together'];

export const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS identity (key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, type TEXT NOT NULL,
    linkable INTEGER NOT NULL, verified INTEGER NOT NULL, carried INTEGER NOT NULL, names TEXT, birth_dates TEXT,
    own_first INTEGER, own_last INTEGER, neighbours INTEGER NOT NULL, eras TEXT, whole BLOB);
  CREATE TABLE IF NOT EXISTS evidence (identity INTEGER NOT NULL, other INTEGER NOT NULL, kinds INTEGER NOT NULL,
    first INTEGER, last INTEGER, PRIMARY KEY (identity, other)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS link (id BLOB PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL, status INTEGER NOT NULL,
    verdict INTEGER, revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bearer (name TEXT NOT NULL, identity INTEGER NOT NULL, PRIMARY KEY (name, identity)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS link_a ON link (a);
  CREATE INDEX IF NOT EXISTS link_b ON link (b);`;
export const TABLE_NAMES = ['meta', 'identity', 'evidence', 'link', 'bearer'];
export const LINKS = `SELECT link.id, one.id AS a, other.id AS b, link.status, link.verdict, link.revision FROM link
  JOIN identity AS one ON one.key = link.a JOIN identity AS other ON other.key = link.b`;

/** Type of an identity of which only an agent spoke so far. */
export const UNKNOWN = 'unknown';

export const bit = (value: boolean): number => (value ? 1 : 0);
export const json = (list: readonly unknown[] | undefined): string | null =>
  list && list.length > 0 ? JSON.stringify(list) : null;

export const isSameButForTime = (one: IdentityFacts, other: IdentityFacts): boolean =>
  one.type === other.type &&
  one.verified === other.verified &&
  one.names === other.names &&
  one.birthDates === other.birthDates;

export const daysOf = (first: number | null, last: number | null): Days | undefined =>
  first === null || last === null ? undefined : { first, last };

export const together = ({ kinds, first, last }: TogetherRow): Together => {
  const days = daysOf(first, last);
  return { kinds, ...(days && { days }) };
};

export const factsOf = (id: Uuid, row: IdentityRow): IdentityFacts => ({
  id,
  type: row.type,
  linkable: row.linkable === 1,
  verified: row.verified === 1,
  names: row.names === null ? [] : (JSON.parse(row.names) as NameKey[]),
  ...(row.birthDates !== null && { birthDates: JSON.parse(row.birthDates) as string[] }),
  ...(row.ownFirst !== null && { own: daysOf(row.ownFirst, row.ownLast)! }),
});

export const knownLink = ({ id, a, b, status, verdict, revision }: LinkRow): KnownLink => ({
  id: uuidOfBytes(id),
  a: uuidOfBytes(a),
  b: uuidOfBytes(b),
  status: STATUSES[status]!,
  ...(verdict !== null && { verdict: VERDICTS[verdict]! }),
  revision,
});

export const statementsOf = (db: SqliteDatabase) => ({
  begin: db.prepare('BEGIN IMMEDIATE'),
  commit: db.prepare('COMMIT'),
  rollback: db.prepare('ROLLBACK'),
  meta: db.prepare('SELECT value FROM meta WHERE name = ?'),
  putMeta: db.prepare(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  ),
  bearerCount: db.prepare('SELECT count(*) AS count FROM bearer WHERE name = ?'),
  bearers: db.prepare('SELECT identity.id FROM bearer JOIN identity ON identity.key = bearer.identity WHERE name = ?'),
  addBearer: db.prepare('INSERT INTO bearer (name, identity) VALUES (?, ?)'),
  removeBearer: db.prepare('DELETE FROM bearer WHERE name = ? AND identity = ?'),
  highestKey: db.prepare('SELECT max(key) AS key FROM identity'),
  identity: db.prepare(
    `SELECT key, type, linkable, verified, carried, names, birth_dates AS birthDates, own_first AS ownFirst,
     own_last AS ownLast, neighbours, eras, whole FROM identity WHERE id = ?`,
  ),
  addIdentity: db.prepare(
    `INSERT INTO identity (type, linkable, verified, carried, names, birth_dates, own_first, own_last, neighbours, eras, whole,
       key, id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  putIdentity: db.prepare(
    `UPDATE identity SET type = ?, linkable = ?, verified = ?, carried = ?, names = ?, birth_dates = ?, own_first = ?,
       own_last = ?, neighbours = ?, eras = ?, whole = ?
     WHERE key = ?`,
  ),
  together: db.prepare('SELECT kinds, first, last FROM evidence WHERE identity = ? AND other = ?'),
  evidenceOf: db.prepare(
    'SELECT identity.id, kinds, first, last FROM evidence JOIN identity ON identity.key = other WHERE evidence.identity = ?',
  ),
  putEvidence: db.prepare(
    `INSERT INTO evidence (identity, other, kinds, first, last) VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)
     ON CONFLICT (identity, other) DO UPDATE SET kinds = excluded.kinds, first = excluded.first, last = excluded.last`,
  ),
  dropLinks: db.prepare('DELETE FROM link WHERE a = ? OR b = ?'),
  dropEvidence: db.prepare('DELETE FROM evidence WHERE identity = ? AND other = ?'),
  dropOwnEvidence: db.prepare('DELETE FROM evidence WHERE identity = ?'),
  dropIdentity: db.prepare('DELETE FROM identity WHERE key = ?'),
  link: db.prepare(`${LINKS} WHERE link.id = ?`),
  linksOf: db.prepare(`${LINKS} WHERE link.a = ? UNION ALL ${LINKS} WHERE link.b = ?`),
  putLink: db.prepare(
    `INSERT INTO link (id, a, b, status, verdict, revision) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, verdict = excluded.verdict, revision = excluded.revision`,
  ),
});

export type StateStatements = ReturnType<typeof statementsOf>;
