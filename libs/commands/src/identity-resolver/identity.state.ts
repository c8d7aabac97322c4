import { chmodSync } from 'node:fs';
import {
  bornNames,
  learn,
  span,
  versionOf,
  type Days,
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

/** What a sighting tells: that it came at another time than any before, or something that every neighbour may care for. */
export type News = 'none' | 'time' | 'facts';

interface Node {
  readonly key: number;
  /** Whether the file has a row of it, of whatever age. */
  stored: boolean;
  facts: IdentityFacts;
  carried: boolean;
  neighbours: number;
  /** By the other identity; absent while nobody asked, and of a hub. */
  evidence?: Map<Uuid, Together>;
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
  ownFirst: number | null;
  ownLast: number | null;
  neighbours: number;
}

/** What was seen of a pair. */
interface Together {
  /** Bits of `KINDS`. */
  kinds: number;
  /** Kept where an end has a time window. */
  days?: Days;
}

interface TogetherRow {
  kinds: number;
  first: number | null;
  last: number | null;
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
const SHAPE = 3;
// Stored numbers: never reorder, only add.
const KINDS: readonly EvidenceKind[] = ['profile-import', 'identify', 'same-mailbox', 'same-interaction'];
const STATUSES: readonly LinkStatus[] = ['none', 'linked', 'proposed'];
const VERDICTS: readonly Ruling['verdict'][] = ['apart', 'together'];

const REMEMBERED_IDENTITIES = 30_000;
const REMEMBERED_NAMES = 10_000;
/** Above the limits of the rules, so that what is read again and again stays in memory and a hub does not. */
const REMEMBERED_NEIGHBOURS = 128;

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS identity (key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, type TEXT NOT NULL,
    linkable INTEGER NOT NULL, verified INTEGER NOT NULL, carried INTEGER NOT NULL, names TEXT, birth_dates TEXT,
    own_first INTEGER, own_last INTEGER, neighbours INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS evidence (identity INTEGER NOT NULL, other INTEGER NOT NULL, kinds INTEGER NOT NULL,
    first INTEGER, last INTEGER, PRIMARY KEY (identity, other)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS link (id BLOB PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL, status INTEGER NOT NULL,
    verdict INTEGER, revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bearer (name TEXT NOT NULL, identity INTEGER NOT NULL, PRIMARY KEY (name, identity)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS link_a ON link (a);
  CREATE INDEX IF NOT EXISTS link_b ON link (b);`;
const TABLE_NAMES = ['meta', 'identity', 'evidence', 'link', 'bearer'];
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
  /** How many identities bear a name, as far as anyone asked. */
  private readonly bearerCounts = new LruMap<string, number>(REMEMBERED_NAMES);
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
    const filledBy = `${SHAPE} ${versionOf(rules)}`;
    const found = db.prepare('SELECT value FROM meta WHERE name = ?').first<{ value: string }>(['filled by'])?.value;
    if (found !== filledBy) {
      db.exec(TABLE_NAMES.map((table) => `DROP TABLE ${table};`).join(''));
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
    this.bearerCounts.clear();
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
    return [...this.neighboursOf(node)].flatMap(([other, { kinds, days }]) =>
      KINDS.filter((_kind, index) => kinds & (1 << index)).map((kind) => ({
        a: id,
        b: other,
        kind,
        ...(days && { days }),
      })),
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

  bearerCount(name: string): number {
    const known = this.bearerCounts.get(name);
    if (known !== undefined) return known;
    const count = this.sql.bearerCount.first<{ count: number }>([name])?.count ?? 0;
    this.bearerCounts.set(name, count);
    return count;
  }

  bearersOf(name: string): Uuid[] {
    return this.sql.bearers.all<{ id: Uint8Array }>([name]).map(({ id }) => uuidOfBytes(id));
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

  /** Makes known what was seen of an identity, and tells what of it is news to a rule. `flush` follows. */
  observe(id: Uuid, { type, linkable, carried, seen }: Sighted): News {
    const node = this.node(id);
    if (!node) {
      const facts = learn({ id, type, linkable, verified: false, names: [] }, seen, this.rules);
      this.add(facts, carried);
      this.bear(undefined, this.nodes.get(id)!);
      return 'facts';
    }
    const before = node.facts;
    // An agent may link an identity before any event carries it; then its type is learned later.
    const named = before.type === type ? before : before.type === UNKNOWN ? { ...before, type, linkable } : before;
    const after = learn(named, seen, this.rules);
    const nowCarried = carried && !node.carried;
    if (after === before && !nowCarried) return 'none';
    node.facts = after;
    node.carried ||= carried;
    this.changed.set(id, node);
    if (after !== before) this.bear(before, node);
    return nowCarried || !isSameButForTime(before, after) ? 'facts' : 'time';
  }

  /** Keeps which names an identity bears: none any more once it has too many of them. */
  private bear(before: IdentityFacts | undefined, { key, facts }: Node): void {
    if (this.rules.sameName.identities === 0 || before?.names === facts.names) return;
    const old = new Set(before && bornNames(before, this.rules));
    const born = new Set(bornNames(facts, this.rules));
    for (const name of old) if (!born.has(name)) this.rename(name, -1, () => this.sql.removeBearer.run([name, key]));
    for (const name of born) if (!old.has(name)) this.rename(name, 1, () => this.sql.addBearer.run([name, key]));
  }

  private rename(name: string, by: number, write: () => void): void {
    const count = this.bearerCount(name);
    write();
    this.bearerCounts.set(name, count + by);
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
      const { type, linkable, verified, names, birthDates, own } = node.facts;
      const facts = [
        type,
        bit(linkable),
        bit(verified),
        bit(node.carried),
        json(names),
        json(birthDates),
        own?.first ?? null,
        own?.last ?? null,
        node.neighbours,
      ];
      if (node.stored) this.sql.putIdentity.run([...facts, node.key]);
      else this.sql.addIdentity.run([...facts, node.key, bytesOfUuid(id)]);
      node.stored = true;
    }
    this.changed.clear();
  }

  /** Keeps that two known identities were seen together, and tells what of it is news. `flush` follows. */
  addEvidence({ a, b, kind, days: seen }: Evidence): News {
    const one = this.node(a);
    const other = this.node(b);
    if (!one || !other || a === b) return 'none';
    const known = one.evidence
      ? one.evidence.get(b)
      : other.evidence
        ? other.evidence.get(a)
        : this.readTogether(one, other);
    const kinds = (known?.kinds ?? 0) | (1 << KINDS.indexOf(kind));
    const days = this.isTimed(one) || this.isTimed(other) ? span(known?.days, seen) : undefined;
    if (kinds === known?.kinds && days?.first === known.days?.first && days?.last === known.days?.last) return 'none';
    const [first, last] = [days?.first ?? null, days?.last ?? null];
    this.sql.putEvidence.run([one.key, other.key, kinds, first, last, other.key, one.key, kinds, first, last]);
    const together = { kinds, ...(days && { days }) };
    one.evidence?.set(b, together);
    other.evidence?.set(a, together);
    if (known !== undefined) return kinds === known.kinds ? 'time' : 'facts';
    for (const node of [one, other]) {
      node.neighbours++;
      this.changed.set(node.facts.id, node);
      if (node.neighbours > REMEMBERED_NEIGHBOURS) delete node.evidence;
    }
    return 'facts';
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
    this.bear(node.facts, { ...node, facts: { ...node.facts, names: [] } });
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

  private isTimed({ facts }: Node): boolean {
    return this.rules.windows[facts.type] !== undefined;
  }

  private neighboursOf(node: Node): Map<Uuid, Together> {
    if (node.evidence) return node.evidence;
    const rows = this.sql.evidenceOf.all<TogetherRow & { id: Uint8Array }>([node.key]);
    const evidence = new Map(rows.map((row) => [uuidOfBytes(row.id), together(row)]));
    if (evidence.size <= REMEMBERED_NEIGHBOURS) node.evidence = evidence;
    return evidence;
  }

  private readTogether(one: Node, other: Node): Together | undefined {
    const row = this.sql.together.first<TogetherRow>([one.key, other.key]);
    return row && together(row);
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

const isSameButForTime = (one: IdentityFacts, other: IdentityFacts): boolean =>
  one.type === other.type &&
  one.verified === other.verified &&
  one.names === other.names &&
  one.birthDates === other.birthDates;

const daysOf = (first: number | null, last: number | null): Days | undefined =>
  first === null || last === null ? undefined : { first, last };

const together = ({ kinds, first, last }: TogetherRow): Together => {
  const days = daysOf(first, last);
  return { kinds, ...(days && { days }) };
};

const factsOf = (id: Uuid, row: IdentityRow): IdentityFacts => ({
  id,
  type: row.type,
  linkable: row.linkable === 1,
  verified: row.verified === 1,
  names: row.names === null ? [] : (JSON.parse(row.names) as NameKey[]),
  ...(row.birthDates !== null && { birthDates: JSON.parse(row.birthDates) as string[] }),
  ...(row.ownFirst !== null && { own: daysOf(row.ownFirst, row.ownLast)! }),
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
  bearerCount: db.prepare('SELECT count(*) AS count FROM bearer WHERE name = ?'),
  bearers: db.prepare('SELECT identity.id FROM bearer JOIN identity ON identity.key = bearer.identity WHERE name = ?'),
  addBearer: db.prepare('INSERT INTO bearer (name, identity) VALUES (?, ?)'),
  removeBearer: db.prepare('DELETE FROM bearer WHERE name = ? AND identity = ?'),
  highestKey: db.prepare('SELECT max(key) AS key FROM identity'),
  identity: db.prepare(
    `SELECT key, type, linkable, verified, carried, names, birth_dates AS birthDates, own_first AS ownFirst,
     own_last AS ownLast, neighbours FROM identity WHERE id = ?`,
  ),
  addIdentity: db.prepare(
    `INSERT INTO identity (type, linkable, verified, carried, names, birth_dates, own_first, own_last, neighbours, key, id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  putIdentity: db.prepare(
    `UPDATE identity SET type = ?, linkable = ?, verified = ?, carried = ?, names = ?, birth_dates = ?, own_first = ?,
       own_last = ?, neighbours = ?
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
