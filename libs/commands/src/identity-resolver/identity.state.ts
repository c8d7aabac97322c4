import { chmodSync } from 'node:fs';
import {
  learn,
  type Evidence,
  type EvidenceKind,
  type EvidenceReader,
  type IdentityFacts,
  type IdentityRules,
  type NameKey,
  type Observation,
  type Ruling,
} from '#libs/domain';
import type { Position, StreamRevision } from '#libs/event-store';
import { LruMap, bytesOfUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';

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

/** How an identity came into view. */
export interface Sighted {
  type: string;
  linkable: boolean;
  /** An event carried it, so that others know it; a mailbox that a tagged address implies is known here alone. */
  carried: boolean;
  seen: Observation;
}

interface Node {
  readonly key: number;
  /** Whether the file has a row of it, of whatever age. */
  stored: boolean;
  facts: IdentityFacts;
  carried: boolean;
  neighbours: number;
  /** Bits of `KINDS` by the other identity; absent while nobody asked, and of a hub. */
  evidence?: Map<Uuid, number>;
  /** Every pair that ever had a link stream; absent while nobody asked, and of an identity with very many. */
  links?: Map<Uuid, KnownLink>;
}

interface IdentityRow {
  key: number;
  type: string;
  linkable: number;
  verified: number;
  carried: number;
  names: string | null;
  birthDates: string | null;
  neighbours: number;
}

interface LinkRow {
  id: Uint8Array;
  a: Uint8Array;
  b: Uint8Array;
  status: number;
  verdict: number | null;
  revision: number;
}

/** Raised when the tables change; a file of another shape or of other rules is filled again from the log. */
const SHAPE = 1;
// Stored numbers: never reorder, only add.
const KINDS: readonly EvidenceKind[] = ['profile-import', 'identify', 'same-mailbox', 'same-interaction'];
const STATUSES: readonly LinkStatus[] = ['none', 'linked', 'proposed'];
const VERDICTS: readonly Ruling['verdict'][] = ['apart', 'together'];

const REMEMBERED_IDENTITIES = 30_000;
/** Above the limits of the rules, so that what is read again and again stays in memory and a hub does not. */
const REMEMBERED_NEIGHBOURS = 128;

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS identity (key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, type TEXT NOT NULL,
    linkable INTEGER NOT NULL, verified INTEGER NOT NULL, carried INTEGER NOT NULL, names TEXT, birth_dates TEXT,
    neighbours INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS evidence (identity INTEGER NOT NULL, other INTEGER NOT NULL, kinds INTEGER NOT NULL,
    PRIMARY KEY (identity, other)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS link (id BLOB PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL, status INTEGER NOT NULL,
    verdict INTEGER, revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS link_a ON link (a);
  CREATE INDEX IF NOT EXISTS link_b ON link (b);`;
const LINKS = `SELECT link.id, one.id AS a, other.id AS b, link.status, link.verdict, link.revision FROM link
  JOIN identity AS one ON one.key = link.a JOIN identity AS other ON other.key = link.b`;

/**
 * What the resolver knows, in one SQLite file of its own: facts, evidence, verdicts and links, as ids and keyed hashes.
 * Everything between `begin` and `commit` becomes durable together, or not at all.
 */
export class IdentityState implements EvidenceReader {
  /** The last event whose consequences are committed. */
  checkpoint: Position;
  private readonly nodes = new LruMap<Uuid, Node>(REMEMBERED_IDENTITIES);
  private readonly sql;
  /** Changed since they were written; read from memory alone until `flush`. */
  private readonly changed = new Map<Uuid, Node>();
  private nextKey = 1;

  private constructor(
    private readonly db: SqliteDatabase,
    private readonly rules: IdentityRules,
  ) {
    this.sql = statementsOf(db);
    this.checkpoint = this.readMeta('checkpoint') ?? 0;
    this.readNextKey();
  }

  /** Opens or creates the file. One that other rules have filled is emptied: they may decide everything otherwise. */
  static open(file: string, rules: IdentityRules): IdentityState {
    const db = openSqlite(file, { synchronous: 'normal', cacheKiB: 8192 });
    if (file !== ':memory:') chmodSync(file, 0o600);
    db.exec(TABLES);
    const filledBy = `${SHAPE} ${rules.version}`;
    const found = db.prepare('SELECT value FROM meta WHERE name = ?').first<{ value: string }>(['filled by'])?.value;
    if (found !== filledBy) {
      db.exec('DROP TABLE meta; DROP TABLE identity; DROP TABLE evidence; DROP TABLE link;');
      db.exec(TABLES);
      db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)').run(['filled by', filledBy]);
    }
    return new IdentityState(db, rules);
  }

  begin(): void {
    this.sql.begin.run([]);
  }

  commit(checkpoint: Position): void {
    this.sql.putMeta.run(['checkpoint', checkpoint]);
    this.sql.commit.run([]);
    this.checkpoint = checkpoint;
  }

  /** Forgets everything since `begin`. */
  rollback(): void {
    this.nodes.clear();
    this.changed.clear();
    try {
      this.sql.rollback.run([]);
    } catch {
      // A full disk may have ended the transaction already; the first error is the one to report.
    }
    this.readNextKey();
  }

  close(): void {
    this.nodes.clear();
    this.db.close();
  }

  facts(id: Uuid): IdentityFacts | undefined {
    return this.node(id)?.facts;
  }

  isCarried(id: Uuid): boolean {
    return this.node(id)?.carried === true;
  }

  neighbourCount(id: Uuid): number {
    return this.node(id)?.neighbours ?? 0;
  }

  evidenceOf(id: Uuid): Evidence[] {
    const node = this.node(id);
    if (!node || node.neighbours === 0) return [];
    return [...this.neighboursOf(node)].flatMap(([other, bits]) =>
      KINDS.filter((_kind, index) => bits & (1 << index)).map((kind) => ({ a: id, b: other, kind })),
    );
  }

  rulingsOf(id: Uuid): Ruling[] {
    const rulings: Ruling[] = [];
    for (const { a, b, verdict } of this.linksOf(id)) if (verdict) rulings.push({ a, b, verdict });
    return rulings;
  }

  settledWith(id: Uuid): Uuid[] {
    const others: Uuid[] = [];
    for (const { a, b, status } of this.linksOf(id)) if (status !== 'none') others.push(a === id ? b : a);
    return others;
  }

  /** Every pair with this identity that ever had a link stream. */
  linksOf(id: Uuid): Iterable<KnownLink> {
    const node = this.node(id);
    if (!node) return [];
    if (node.links) return node.links.values();
    const rows = this.sql.linksOf.all<LinkRow>([node.key, node.key]);
    const links = new Map(rows.map((row) => [uuidOfBytes(row.id), knownLink(row)]));
    if (links.size <= REMEMBERED_NEIGHBOURS) node.links = links;
    return links.values();
  }

  /** @param end one of the identities it joins, where that is known: it saves asking the file. */
  link(id: Uuid, end?: Uuid): KnownLink | undefined {
    const links = end === undefined ? undefined : this.node(end)?.links;
    if (links) return links.get(id);
    const row = this.sql.link.first<LinkRow>([bytesOfUuid(id)]);
    return row && knownLink(row);
  }

  /** Makes known what was seen of an identity; true where a rule could tell the difference. `flush` follows. */
  observe(id: Uuid, { type, linkable, carried, seen }: Sighted): boolean {
    const node = this.node(id);
    if (!node) {
      const facts = learn({ id, type, linkable, verified: false, names: [] }, seen, this.rules);
      this.add(facts, carried);
      return true;
    }
    const before = node.facts;
    // An agent may link an identity before any event carries it; then its type is learned later.
    const named = before.type === type ? before : before.type === UNKNOWN ? { ...before, type, linkable } : before;
    const after = learn(named, seen, this.rules);
    const nowCarried = carried && !node.carried;
    if (after === before && !nowCarried) return false;
    node.facts = after;
    node.carried ||= carried;
    this.changed.set(id, node);
    return true;
  }

  /** Makes an identity known of which nothing is known but its id: one that an agent linked. */
  mention(id: Uuid): void {
    if (this.node(id)) return;
    this.add({ id, type: UNKNOWN, linkable: false, verified: false, names: [] }, false);
    this.flush();
  }

  /** Writes the identities that changed: once for each event, before anything is decided about them. */
  flush(): void {
    for (const [id, node] of this.changed) {
      const { type, linkable, verified, names, birthDates } = node.facts;
      const facts = [
        type,
        bit(linkable),
        bit(verified),
        bit(node.carried),
        json(names),
        json(birthDates),
        node.neighbours,
      ];
      if (node.stored) this.sql.putIdentity.run([...facts, node.key]);
      else this.sql.addIdentity.run([...facts, node.key, bytesOfUuid(id)]);
      node.stored = true;
    }
    this.changed.clear();
  }

  /** Keeps that two known identities were seen together; true where that is news. `flush` follows. */
  addEvidence({ a, b, kind }: Evidence): boolean {
    const one = this.node(a);
    const other = this.node(b);
    if (!one || !other || a === b) return false;
    const known = one.evidence
      ? one.evidence.get(b)
      : other.evidence
        ? other.evidence.get(a)
        : this.readKinds(one, other);
    const kinds = (known ?? 0) | (1 << KINDS.indexOf(kind));
    if (kinds === known) return false;
    this.sql.putEvidence.run([one.key, other.key, kinds, other.key, one.key, kinds]);
    one.evidence?.set(b, kinds);
    other.evidence?.set(a, kinds);
    if (known !== undefined) return true;
    for (const node of [one, other]) {
      node.neighbours++;
      this.changed.set(node.facts.id, node);
      if (node.neighbours > REMEMBERED_NEIGHBOURS) delete node.evidence;
    }
    return true;
  }

  /** Keeps a link between two known identities as it is now. */
  putLink(link: KnownLink): void {
    const { id, a, b, status, verdict, revision } = link;
    const one = this.node(a)!;
    const other = this.node(b)!;
    const ruled = verdict ? VERDICTS.indexOf(verdict) : null;
    this.sql.putLink.run([bytesOfUuid(id), one.key, other.key, STATUSES.indexOf(status), ruled, revision]);
    for (const node of [one, other]) {
      node.links?.set(id, link);
      if (node.links && node.links.size > REMEMBERED_NEIGHBOURS) delete node.links;
    }
  }

  /** Forgets an identity with its evidence and links, and neighbours that were known by way of it alone. */
  forget(id: Uuid): void {
    const node = this.node(id);
    if (!node) return;
    this.flush();
    const others = this.sql.evidenceOf.all<{ id: Uint8Array }>([node.key]).map((row) => uuidOfBytes(row.id));
    this.sql.dropLinks.run([node.key, node.key]);
    for (const other of others) this.sql.dropEvidence.run([this.node(other)!.key, node.key]);
    this.sql.dropOwnEvidence.run([node.key]);
    this.sql.dropIdentity.run([node.key]);
    this.nodes.clear();
    for (const other of others) {
      const left = this.node(other)!;
      left.neighbours--;
      this.changed.set(other, left);
      if (left.neighbours === 0 && !left.carried) this.forget(other);
    }
    this.flush();
  }

  private node(id: Uuid): Node | undefined {
    const known = this.nodes.get(id);
    if (known) return known;
    const row = this.sql.identity.first<IdentityRow>([bytesOfUuid(id)]);
    if (!row) return undefined;
    const node: Node = {
      key: row.key,
      stored: true,
      facts: factsOf(id, row),
      carried: row.carried === 1,
      neighbours: row.neighbours,
    };
    this.nodes.set(id, node);
    return node;
  }

  private add(facts: IdentityFacts, carried: boolean): void {
    const node: Node = {
      key: this.nextKey++,
      stored: false,
      facts,
      carried,
      neighbours: 0,
      evidence: new Map(),
      links: new Map(),
    };
    this.nodes.set(facts.id, node);
    this.changed.set(facts.id, node);
  }

  private neighboursOf(node: Node): Map<Uuid, number> {
    if (node.evidence) return node.evidence;
    const rows = this.sql.evidenceOf.all<{ id: Uint8Array; kinds: number }>([node.key]);
    const evidence = new Map(rows.map(({ id, kinds }) => [uuidOfBytes(id), kinds]));
    if (evidence.size <= REMEMBERED_NEIGHBOURS) node.evidence = evidence;
    return evidence;
  }

  private readKinds(one: Node, other: Node): number | undefined {
    return this.sql.kinds.first<{ kinds: number }>([one.key, other.key])?.kinds;
  }

  private readMeta(name: string): number | undefined {
    return this.sql.meta.first<{ value: number }>([name])?.value;
  }

  private readNextKey(): void {
    this.nextKey = (this.sql.highestKey.first<{ key: number | null }>([])?.key ?? 0) + 1;
  }
}

/** Type of an identity of which only an agent spoke so far. */
const UNKNOWN = 'unknown';

const bit = (value: boolean): number => (value ? 1 : 0);
const json = (list: readonly unknown[] | undefined): string | null =>
  list && list.length > 0 ? JSON.stringify(list) : null;

const factsOf = (id: Uuid, row: IdentityRow): IdentityFacts => ({
  id,
  type: row.type,
  linkable: row.linkable === 1,
  verified: row.verified === 1,
  names: row.names === null ? [] : (JSON.parse(row.names) as NameKey[]),
  ...(row.birthDates !== null && { birthDates: JSON.parse(row.birthDates) as string[] }),
});

const knownLink = ({ id, a, b, status, verdict, revision }: LinkRow): KnownLink => ({
  id: uuidOfBytes(id),
  a: uuidOfBytes(a),
  b: uuidOfBytes(b),
  status: STATUSES[status]!,
  ...(verdict !== null && { verdict: VERDICTS[verdict]! }),
  revision,
});

const statementsOf = (db: SqliteDatabase) => ({
  begin: db.prepare('BEGIN IMMEDIATE'),
  commit: db.prepare('COMMIT'),
  rollback: db.prepare('ROLLBACK'),
  meta: db.prepare('SELECT value FROM meta WHERE name = ?'),
  putMeta: db.prepare(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  ),
  highestKey: db.prepare('SELECT max(key) AS key FROM identity'),
  identity: db.prepare(
    'SELECT key, type, linkable, verified, carried, names, birth_dates AS birthDates, neighbours FROM identity WHERE id = ?',
  ),
  addIdentity: db.prepare(
    `INSERT INTO identity (type, linkable, verified, carried, names, birth_dates, neighbours, key, id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  putIdentity: db.prepare(
    `UPDATE identity SET type = ?, linkable = ?, verified = ?, carried = ?, names = ?, birth_dates = ?, neighbours = ?
     WHERE key = ?`,
  ),
  kinds: db.prepare('SELECT kinds FROM evidence WHERE identity = ? AND other = ?'),
  evidenceOf: db.prepare(
    'SELECT identity.id, kinds FROM evidence JOIN identity ON identity.key = other WHERE evidence.identity = ?',
  ),
  putEvidence: db.prepare(
    `INSERT INTO evidence (identity, other, kinds) VALUES (?, ?, ?), (?, ?, ?)
     ON CONFLICT (identity, other) DO UPDATE SET kinds = excluded.kinds`,
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
