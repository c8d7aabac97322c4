import { LruMap, bytesOfUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import type { CarriedIdentity, ContactSummary, LinkEvent } from '#libs/domain';
import type { ReadModelSession } from '../read-model/read-model.port.js';
import type { EntryTable, TimelineTable } from '../read-model/read-model.schema.js';
import type { Statement } from '../read-model/statement.js';
import { WHOLE } from '../shards.js';
import { SeenIds } from './seen-ids.js';
import {
  IDS_A_QUESTION,
  type FoldStatements,
  type IdentityRow,
  type LinkRow,
  type LinkWrite,
  type NewConversation,
} from './statements.js';

interface Counters {
  tenant: number;
  label: number;
  identity: number;
  conversation: number;
  link: number;
}

/** Bounds of what a projector remembers between events; beyond them it asks the read model. */
const CACHED_IDENTITIES = 30_000;
/** At least twice the conversations of a batch: those not written yet are known here only. */
const CACHED_CONVERSATIONS = 20_000;
const CACHED_MENTIONS = 20_000;

/** An identity as folds know it. */
export interface FoldedIdentity extends IdentityRow {
  /** The times in which it was somebody else's, the oldest first; absent where there are none. */
  former?: readonly FoldedEra[];
}

export interface FoldedEra {
  id: Uuid;
  /** Epoch milliseconds, exclusive. */
  until: number;
}

/** Ids that a batch names and that are not known here. */
interface Wanted {
  identities: Map<Uuid, Buffer>;
  conversations: Map<Uuid, Buffer>;
  links: Map<Uuid, Buffer>;
}

/** Keys of everything a contact names. */
export interface ContactPlaces {
  /** Whom it belongs to: the anchor, or the era of it that the contact lies in. */
  anchor: FoldedIdentity;
  conversation: number;
  channel: number;
  account: number;
}

/**
 * What all folds of one batch share: the transaction, the surrogate keys handed out so far and bounded caches over the
 * rows. Keys come from here and not from the engine, so that every engine and every rebuild gives the same ones.
 */
export class FoldContext {
  private readonly tenants = new Map<string, number>();
  private readonly labels = new Map<string, number>();
  private readonly identities = new LruMap<Uuid, FoldedIdentity>(CACHED_IDENTITIES);
  private readonly conversations = new LruMap<Uuid, number>(CACHED_CONVERSATIONS);
  private readonly mentions = new LruMap<string, true>(CACHED_MENTIONS);
  private counters?: Counters;
  // Identities, conversations and links that have a row. Known only to a bulk write that began with an empty read model: it need
  // not ask for what occurs for the first time, which most of its questions would be.
  private met?: SeenIds;

  // Identities and conversations that this batch names and that had no row when it began: nobody need ask for them again.
  private readonly absent = new Set<Uuid>();
  // Links that this batch names, as they stand; undefined where there is none yet.
  private readonly links = new Map<Uuid, LinkRow | undefined>();
  // Customers that this batch has joined to another, while what that has moved is not known yet.
  private readonly joined = new Map<number, number>();
  private joining: Promise<void>[] = [];

  session!: ReadModelSession;
  /** Where contacts were recorded that this batch has shown to be somebody else's. */
  reattributed: number[] = [];

  // Rows that nothing of this batch reads back are written together.
  private newConversations: NewConversation[] = [];
  private newEntries: EntryTable[] = [];
  private newTimelines: TimelineTable[] = [];

  constructor(
    readonly statements: FoldStatements,
    /** The timeline is filled at the end, in its own order. */
    readonly bulk: boolean,
    /** Each shard gives keys of its own. */
    private readonly shard = WHOLE,
  ) {}

  async begin(session: ReadModelSession): Promise<void> {
    this.session = session;
    this.reattributed = [];
    this.absent.clear();
    this.links.clear();
    if (this.counters) return;
    this.counters = (await session.all(this.statements.highestKeys, {}))[0]!;
    if (this.bulk && Object.values(this.counters).every((key) => key === 0)) this.met = new SeenIds();
  }

  /** Asks in few questions for everything that contacts and decisions on links name and that is not known here. */
  async prefetch(
    contacts: Iterable<Pick<ContactSummary, 'identities' | 'conversation'>>,
    decisions: Iterable<LinkEvent['data']>,
  ): Promise<void> {
    const wanted: Wanted = { identities: new Map(), conversations: new Map(), links: new Map() };
    for (const contact of contacts) this.wantContact(contact, wanted);
    for (const decision of decisions) this.wantDecision(decision, wanted);
    const { findIdentities, findConversations, findLinks } = this.statements;
    await Promise.all([
      // The eras of one that has some are asked for where it is met.
      this.ask(findIdentities, wanted.identities, (id, row) => isDivided(row) || this.identities.set(id, row)),
      this.ask(findConversations, wanted.conversations, (id, { key }) => this.conversations.set(id, key)),
      this.ask(findLinks, wanted.links, (id, row) => this.links.set(id, row)),
    ]);
    for (const id of wanted.identities.keys()) this.absent.add(id);
    for (const id of wanted.conversations.keys()) this.absent.add(id);
  }

  private wantContact(
    { identities, conversation }: Pick<ContactSummary, 'identities' | 'conversation'>,
    wanted: Wanted,
  ): void {
    for (const { identity, blocked } of identities) if (!blocked) this.wantIdentity(identity, wanted);
    if (this.conversations.get(conversation) === undefined) this.want(conversation, wanted.conversations);
  }

  private wantDecision(decision: LinkEvent['data'], wanted: Wanted): void {
    this.links.set(decision.link, undefined);
    this.want(decision.link, wanted.links);
    if (!('a' in decision)) return;
    this.wantIdentity(decision.a, wanted);
    this.wantIdentity(decision.b, wanted);
  }

  private wantIdentity(identity: Uuid, wanted: Wanted): void {
    if (!this.identities.get(identity)) this.want(identity, wanted.identities);
  }

  private want(id: Uuid, wanted: Map<Uuid, Buffer>): void {
    if (wanted.has(id)) return;
    const bytes = bytesOfUuid(id);
    if (this.met?.has(bytes) !== false) wanted.set(id, bytes);
  }

  /** Asks for rows by their ids; what is left in `wanted` has none. */
  private async ask<Row extends { id: Buffer }>(
    statement: Statement<Record<number, Buffer>, Row>,
    wanted: Map<Uuid, Buffer>,
    take: (id: Uuid, row: Omit<Row, 'id'>) => void,
  ): Promise<void> {
    const answers = questionsOf(wanted).map(async (ids) => this.session.all(statement, ids));
    for (const rows of await Promise.all(answers))
      for (const { id: bytes, ...row } of rows) {
        const id = uuidOfBytes(bytes);
        wanted.delete(id);
        take(id, row);
      }
  }

  addEntry(entry: EntryTable, customer: number): void {
    this.newEntries.push(entry);
    if (!this.bulk) this.newTimelines.push(timelineOf(entry, customer));
  }

  /** Writes what waits; needed before anything looks at or moves it, and at the end of a batch. */
  async flush(): Promise<void> {
    const { session, statements } = this;
    const [conversations, entries, timelines] = [this.newConversations, this.newEntries, this.newTimelines];
    this.newConversations = [];
    this.newEntries = [];
    this.newTimelines = [];
    await session.insert(statements.addConversations, conversations);
    await session.insert(statements.addEntries, entries);
    await session.insert(statements.addTimelines, timelines);
  }

  /** Forgets everything: after a transaction that was rolled back. */
  reset(): void {
    this.tenants.clear();
    this.labels.clear();
    this.identities.clear();
    this.conversations.clear();
    this.mentions.clear();
    this.counters = undefined;
    this.joined.clear();
    this.joining = [];
    this.newConversations = [];
    this.newEntries = [];
    this.newTimelines = [];
  }

  /** The places of a contact that brings nothing new but its conversation, all of them in memory; undefined otherwise. */
  known(tenantName: string, content: ContactSummary, occurredAtMs: number): ContactPlaces | undefined {
    const conversation = this.conversations.get(content.conversation);
    const channel = this.labels.get(content.channel);
    const account = this.labels.get(content.account);
    const tenant = this.tenants.get(tenantName);
    const anchor = this.identities.get(content.anchor);
    if (channel === undefined || account === undefined || tenant === undefined) return undefined;
    if (!anchor || anchor.former || isEarlierName(content, occurredAtMs, anchor)) return undefined;
    if (conversation === undefined && !this.hasNoRow(content.conversation)) return undefined;
    for (const { identity, blocked, verified } of content.identities) {
      if (blocked) continue;
      const row: IdentityRow | undefined = identity === content.anchor ? anchor : this.identities.get(identity);
      if (!row || row.told === 0 || (verified && row.verified === 0)) return undefined;
      if (row !== anchor && !this.mentions.get(pairOf(row.key, anchor.key))) return undefined;
    }
    return {
      anchor,
      conversation: conversation ?? this.addConversation(content.conversation, tenant),
      channel,
      account,
    };
  }

  /** The places of any contact; what it names for the first time gets its rows. */
  async learn(
    tenantName: string,
    content: ContactSummary,
    occurredAtMs: number,
    position: number,
  ): Promise<ContactPlaces> {
    const { tenant, anchor: named } = await this.meet(tenantName, content, position, occurredAtMs);
    const anchor = await this.holderAt(named, occurredAtMs);
    if (anchor.erased === null && isEarlierName(content, occurredAtMs, anchor))
      await this.name(anchor, content.name, occurredAtMs, position);
    return {
      anchor,
      conversation: await this.conversation(content.conversation, tenant),
      channel: await this.label(content.channel),
      account: await this.label(content.account),
    };
  }

  /**
   * Makes known who was seen beside whom; what it names for the first time gets its rows.
   * @param nameAtMs since when an anchor that is new has the name it comes with
   */
  async meet(
    tenantName: string,
    content: Pick<ContactSummary, 'anchor' | 'identities' | 'erased' | 'name'>,
    position: number,
    nameAtMs?: number,
  ): Promise<{ tenant: number; anchor: FoldedIdentity }> {
    const tenant = await this.tenant(tenantName);
    let anchor: FoldedIdentity | undefined;
    const others: FoldedIdentity[] = [];
    for (const carried of content.identities) {
      if (carried.blocked) continue;
      const isAnchor = carried.identity === content.anchor;
      const naming =
        isAnchor && nameAtMs !== undefined && content.name ? { name: content.name, nameAt: nameAtMs } : NAMELESS;
      const row = await this.identity(carried, tenant, position, !content.erased, naming);
      if (isAnchor) anchor = row;
      else others.push(row);
    }
    if (!anchor) throw new Error(`the event at position ${position} names an anchor that it does not carry`);
    for (const other of others) await this.mention(other, anchor, position);
    return { tenant, anchor };
  }

  /** Whose a contact of an identity is: the era of it that an instant lies in, or the identity itself. */
  private async holderAt(identity: FoldedIdentity, atMs: number): Promise<FoldedIdentity> {
    const era = identity.former?.find(({ until }) => atMs < until);
    return era ? (await this.findIdentity(era.id))! : identity;
  }

  tenant(text: string): Promise<number> {
    return this.named('tenant', this.tenants, text);
  }

  label(text: string): Promise<number> {
    return this.named('label', this.labels, text);
  }

  /** The key that stands for a name in the rows, given when it occurs for the first time. */
  private async named(table: 'tenant' | 'label', names: Map<string, number>, text: string): Promise<number> {
    const known = names.get(text);
    if (known !== undefined) return known;
    const { find, add } = this.statements[table];
    let key = (await this.session.all(find, { text }))[0]?.key;
    if (key === undefined) {
      await this.session.run(add, { key: this.next(table), text });
      // Another shard may have named it at the same moment.
      key = (await this.session.all(find, { text }))[0]!.key;
    }
    names.set(text, key);
    return key;
  }

  /**
   * The row of an identity, made when it is seen for the first time.
   * @param told whether the event says its value; one that is erased does not, and a later one may
   * @param naming what it is called where it is new
   */
  async identity(
    carried: CarriedIdentity,
    tenant: number,
    position: number,
    told: boolean,
    naming = NAMELESS,
  ): Promise<FoldedIdentity> {
    const found = await this.findIdentity(carried.identity);
    if (found) {
      if (found.erased !== null) return found;
      if (carried.verified) await this.verify(found, position);
      if (told && found.told === 0) {
        const teller = { key: found.key, value: carried.value };
        await this.session.run(this.statements.tellIdentity, teller);
        await this.session.run(this.statements.tellEras, teller);
        found.told = 1;
      }
      return found;
    }
    const key = this.next('identity');
    const verified = carried.verified ? 1 : 0;
    const row: FoldedIdentity = {
      key,
      customer: key,
      firstPosition: position,
      verified,
      nameAt: naming.nameAt,
      erased: null,
      told: told ? 1 : 0,
      whole: null,
      heldFrom: null,
    };
    await this.session.run(this.statements.addIdentity, {
      key,
      id: this.added(carried.identity),
      tenant,
      type: carried.type,
      value: told ? carried.value : '',
      verified,
      firstPosition: position,
      customer: key,
      ...naming,
    });
    this.identities.set(carried.identity, row);
    return row;
  }

  /** The row of a former era of an identity, made when it is told of for the first time. */
  async era(id: Uuid, whole: FoldedIdentity, position: number): Promise<FoldedIdentity> {
    const found = await this.findIdentity(id);
    if (found) return found;
    const key = this.next('identity');
    await this.session.run(this.statements.eras.add, { key, id: this.added(id), whole: whole.key, position });
    return (await this.findIdentity(id))!;
  }

  private async verify(row: IdentityRow, position: number): Promise<void> {
    if (row.verified === 1) return;
    await this.keep(row, position);
    await this.session.run(this.statements.verifyIdentity, { key: row.key, verified: 1 });
    row.verified = 1;
  }

  /** Gives an identity the name that counts from this event on, or takes it away. */
  async name(row: IdentityRow, name: string | null, nameAt: number | null, position: number): Promise<void> {
    await this.keep(row, position);
    await this.session.run(this.statements.nameIdentity, { key: row.key, name, nameAt });
    row.nameAt = nameAt;
  }

  /** Before an identity changes: what it said until now. Nothing of it was said before the event that brought it. */
  async keep({ key, firstPosition }: IdentityRow, position: number): Promise<void> {
    if (firstPosition < position) await this.session.run(this.statements.keepIdentity, { key, position });
  }

  async findIdentity(id: Uuid): Promise<FoldedIdentity | undefined> {
    const known = this.identities.get(id);
    if (known) return known;
    if (this.hasNoRow(id)) return undefined;
    const found = (await this.session.all(this.statements.findIdentity, { id: bytesOfUuid(id) }))[0];
    if (!found) return undefined;
    const row: FoldedIdentity = found;
    if (isDivided(row)) row.former = await this.formerOf(row);
    this.identities.set(id, row);
    return row;
  }

  private async formerOf({ key }: IdentityRow): Promise<FoldedEra[]> {
    const rows = await this.session.all(this.statements.eras.of, { whole: key });
    const held = rows.filter((row): row is typeof row & { heldUntil: number } => row.heldUntil !== null);
    return held.map(({ id, heldUntil }) => ({ id: uuidOfBytes(id), until: heldUntil }));
  }

  /** Whose an identity is. */
  customerOf({ customer }: IdentityRow): number {
    let last = customer;
    for (let next = this.joined.get(last); next !== undefined; next = this.joined.get(last)) last = next;
    return last;
  }

  /** Makes two customers one. What that moves is not waited for: `settle` does. */
  async join(from: number, to: number): Promise<void> {
    for (const row of this.newTimelines) if (row.customer === from) row.customer = to;
    const { session, statements } = this;
    const moving = session.all(statements.joinCustomer, { from, to });
    await session.run(statements.joinTimeline, { from, to });
    const take = (moved: { id: Buffer }[]): void =>
      this.moved(
        moved.map(({ id }) => uuidOfBytes(id)),
        to,
      );
    if (Array.isArray(moving)) return take(moving);
    this.joined.set(from, to);
    const joining = moving.then(take);
    // Heard of by `settle`.
    joining.catch(() => undefined);
    this.joining.push(joining);
  }

  /** Resolves when it is known whose everybody is: needed before customers are parted, and at the end of a batch. */
  async settle(): Promise<void> {
    await Promise.all(this.joining);
    this.joining = [];
    this.joined.clear();
  }

  /** Tells the cache that these identities belong to another customer now. */
  moved(ids: readonly Uuid[], customer: number): void {
    for (const id of ids) {
      const row = this.identities.get(id);
      if (row) row.customer = customer;
    }
  }

  /** Tells the cache that nothing says the value and name of an identity any more. */
  untold(id: Uuid): void {
    const row = this.identities.get(id);
    if (row) Object.assign(row, { told: 0, nameAt: null });
  }

  /** Tells the caches that an identity was erased. */
  erased(id: Uuid, position: number): void {
    const row = this.identities.get(id);
    if (row) Object.assign(row, { erased: position, told: 0, verified: 0, nameAt: null });
    delete row?.former;
    this.mentions.clear();
    this.links.clear();
  }

  async conversation(id: Uuid, tenant: number): Promise<number> {
    const known = this.conversations.get(id);
    if (known !== undefined) return known;
    if (this.hasNoRow(id)) return this.addConversation(id, tenant);
    const key = (await this.session.all(this.statements.findConversation, { id: bytesOfUuid(id) }))[0]?.key;
    if (key === undefined) return this.addConversation(id, tenant);
    this.conversations.set(id, key);
    return key;
  }

  private addConversation(id: Uuid, tenant: number): number {
    const key = this.next('conversation');
    this.newConversations.push({ key, id: this.added(id), tenant });
    this.conversations.set(id, key);
    return key;
  }

  /** Whether it is known without asking that an identity, a conversation or a link has no row. */
  private hasNoRow(id: Uuid): boolean {
    return this.absent.has(id) || this.met?.has(bytesOfUuid(id)) === false;
  }

  /** Notes that an identity, a conversation or a link gets a row. @returns its id in 16 bytes */
  private added(id: Uuid): Buffer {
    const bytes = bytesOfUuid(id);
    this.met?.add(bytes);
    this.absent.delete(id);
    return bytes;
  }

  async mention({ key: identity, erased }: IdentityRow, anchor: IdentityRow, position: number): Promise<void> {
    if (erased !== null || anchor.erased !== null) return;
    const pair = pairOf(identity, anchor.key);
    if (this.mentions.get(pair)) return;
    await this.session.run(this.statements.addMention, { identity, anchor: anchor.key, position });
    this.mentions.set(pair, true);
  }

  /** The next key of a table, among those of this shard. */
  private next(table: keyof Counters): number {
    const { index, of } = this.shard;
    const least = this.counters![table] + 1;
    return (this.counters![table] = least + ((index + of - (least % of)) % of));
  }

  /** @returns how a link stands; whoever changes that says so in what is returned */
  async findLink(link: Uuid): Promise<LinkRow | undefined> {
    if (this.links.has(link)) return this.links.get(link);
    if (this.hasNoRow(link)) return undefined;
    return (await this.session.all(this.statements.findLink, { id: bytesOfUuid(link) }))[0];
  }

  async addLink(link: Uuid, { position, ...row }: Omit<LinkWrite, 'key' | 'id'>): Promise<void> {
    const key = this.next('link');
    if (this.links.has(link)) this.links.set(link, { key, status: row.status, a: row.a, b: row.b });
    await this.session.run(this.statements.addLink, {
      key,
      id: this.added(link),
      ...row,
      firstPosition: position,
      lastPosition: position,
    });
  }
}

const NAMELESS: { name: string | null; nameAt: number | null } = { name: null, nameAt: null };

const questionsOf = (ids: ReadonlyMap<Uuid, Buffer>): Buffer[][] => {
  const all = [...ids.values()];
  return Array.from({ length: Math.ceil(all.length / IDS_A_QUESTION) }, (_, question) =>
    Array.from({ length: IDS_A_QUESTION }, (__, n) => all[Math.min(question * IDS_A_QUESTION + n, all.length - 1)]!),
  );
};

const timelineOf = (entry: EntryTable, customer: number): TimelineTable => ({
  customer,
  occurredAt: entry.occurredAt,
  position: entry.position,
  identity: entry.identity,
  channel: entry.channel,
  kind: entry.kind,
  direction: entry.direction,
});

/** Whether some of its contacts may be a former era's. */
const isDivided = ({ heldFrom, whole }: IdentityRow): boolean => heldFrom !== null && whole === null;

const pairOf = (identity: number, anchor: number): string => `${identity}/${anchor}`;

// The earliest name stays: whichever order contacts arrive in, the same one is kept.
const isEarlierName = (
  content: ContactSummary,
  occurredAtMs: number,
  anchor: IdentityRow,
): content is ContactSummary & { name: string } =>
  content.name !== undefined && content.name !== '' && (anchor.nameAt === null || occurredAtMs < anchor.nameAt);
