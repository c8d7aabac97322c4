import { chmodSync } from 'node:fs';
import {
  learn,
  nameKeyText,
  span,
  versionOf,
  type Evidence,
  type EvidenceReader,
  type IdentityFacts,
  type IdentityRules,
  type Observation,
  type Ruling,
} from '#libs/domain';
import type { Position } from '#libs/event-store';
import { LruMap, bytesOfUuid, uuidOfBytes, type IdFactory, type Uuid } from '#libs/kernel';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';
import {
  KINDS,
  SHAPE,
  STATUSES,
  TABLES,
  TABLE_NAMES,
  UNKNOWN,
  VERDICTS,
  bit,
  factsOf,
  isSameButForTime,
  json,
  knownLink,
  statementsOf,
  together,
  type IdentityRow,
  type KnownEras,
  type KnownLink,
  type LinkRow,
  type StateStatements,
  type StoredEras,
  type Together,
  type TogetherRow,
} from './identity.tables.js';
import { NameBearers } from './name-bearers.js';

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
  /** Absent where it was never divided. */
  eras?: StoredEras;
  /** What it is a former era of. */
  whole?: Uuid;
  /** By the other identity; absent while nobody asked, and of a hub. */
  evidence?: Map<Uuid, Together>;
  /** Every pair that ever had a link stream; absent while nobody asked, and of an identity with very many. */
  links?: Map<Uuid, KnownLink>;
}

const REMEMBERED_IDENTITIES = 30_000;
/** Above the limits of the rules, so that what is read again and again stays in memory and a hub does not. */
const REMEMBERED_NEIGHBOURS = 128;

const NOTHING_SEEN = { type: UNKNOWN, linkable: false, verified: false, names: [] };

/**
 * What the resolver knows, in one SQLite file of its own: facts, evidence, verdicts and links, as ids and keyed hashes.
 * Everything between `begin` and `commit` becomes durable together, or not at all.
 */
export class IdentityState implements EvidenceReader {
  /** The last event whose consequences are committed. */
  checkpoint: Position;
  private readonly nodes = new LruMap<Uuid, Node>(REMEMBERED_IDENTITIES);
  private readonly bearers: NameBearers;
  private readonly sql: StateStatements;
  /** Changed since they were written; read from memory alone until `flush`. */
  private readonly changed = new Map<Uuid, Node>();
  private nextKey = 1;

  private constructor(
    private readonly db: SqliteDatabase,
    private readonly rules: IdentityRules,
    private readonly ids: Pick<IdFactory, 'formerEra'>,
  ) {
    this.sql = statementsOf(db);
    this.bearers = new NameBearers(this.sql, rules);
    this.checkpoint = this.readMeta('checkpoint') ?? 0;
    this.readNextKey();
  }

  /** Opens or creates the file. One that other rules have filled is emptied: they may decide everything otherwise. */
  static open(file: string, rules: IdentityRules, ids: Pick<IdFactory, 'formerEra'>): IdentityState {
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
    return new IdentityState(db, rules, ids);
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
    this.bearers.clear();
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
    return this.bearers.count(name);
  }

  bearersOf(name: string): Uuid[] {
    return this.bearers.of(name);
  }

  wholeOf(id: Uuid): Uuid | undefined {
    return this.node(id)?.whole;
  }

  formersOf(id: Uuid): readonly Uuid[] {
    return this.node(id)?.eras?.ever ?? [];
  }

  formerOf(id: Uuid, number: number): Uuid {
    return this.ids.formerEra(id, number);
  }

  /** The former eras of an identity; undefined where it never had any. */
  erasOf(id: Uuid): KnownEras | undefined {
    return this.node(id)?.eras;
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
      this.bearers.keep(this.nodes.get(id)!.key, undefined, facts);
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
    if (after !== before) this.bearers.keep(node.key, before, after);
    return nowCarried || !isSameButForTime(before, after) ? 'facts' : 'time';
  }

  /** Makes an identity known of which nothing is known but its id: one that an agent linked. */
  mention(id: Uuid): void {
    if (this.node(id)) return;
    this.add({ id, ...NOTHING_SEEN }, false);
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
        node.eras ? JSON.stringify(node.eras) : null,
        node.whole === undefined ? null : bytesOfUuid(node.whole),
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

  /** Keeps the former eras of a known identity, each as an identity of its own. */
  putEras(id: Uuid, { former, revision }: KnownEras): void {
    const node = this.node(id)!;
    const ever = new Set(node.eras?.ever);
    for (const era of former) {
      ever.add(era.id);
      if (!this.node(era.id)) this.add({ id: era.id, ...NOTHING_SEEN }, false);
      const part = this.node(era.id)!;
      part.facts = { ...part.facts, type: node.facts.type, linkable: node.facts.linkable };
      part.whole = id;
      part.carried = true;
      this.changed.set(era.id, part);
    }
    node.eras = { former, revision, ever: [...ever] };
    this.changed.set(id, node);
    this.flush();
  }

  /** Forgets an identity with its eras, evidence and links, and neighbours that were known by way of it alone. */
  forget(id: Uuid): void {
    const node = this.node(id);
    if (!node) return;
    for (const era of node.eras?.ever ?? []) this.forget(era);
    const whole = node.whole === undefined ? undefined : this.node(node.whole);
    if (whole?.eras) {
      whole.eras = { ...whole.eras, ever: whole.eras.ever.filter((era) => era !== id) };
      this.changed.set(whole.facts.id, whole);
    }
    this.flush();
    this.bearers.keep(node.key, node.facts, { ...node.facts, names: [] });
    const gone = new Set(node.facts.names.map(nameKeyText));
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
      this.forgetNames(left, gone);
      if (left.neighbours === 0 && !left.carried) this.forget(other);
    }
    this.flush();
  }

  /** What the log says no more: names that came with who is forgotten, unless somebody else beside it bears them. */
  private forgetNames(node: Node, gone: ReadonlySet<string>): void {
    const before = node.facts;
    if (!before.names.some((name) => gone.has(nameKeyText(name))) || node.neighbours > REMEMBERED_NEIGHBOURS) return;
    const beside = [...this.neighboursOf(node).keys()].flatMap((id) => this.facts(id)?.names ?? []);
    const borne = new Set(beside.map(nameKeyText));
    const names = before.names.filter((name) => !gone.has(nameKeyText(name)) || borne.has(nameKeyText(name)));
    node.facts = { ...before, names };
    this.bearers.keep(node.key, before, node.facts);
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
      ...(row.eras !== null && { eras: JSON.parse(row.eras) as StoredEras }),
      ...(row.whole !== null && { whole: uuidOfBytes(row.whole) }),
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
