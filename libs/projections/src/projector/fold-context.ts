import type { CarriedIdentity, ContactSummary, LinkEvent } from '#libs/domain';
import type { Uuid } from '#libs/kernel';
import type { ReadModelSession } from '../read-model/read-model.port.js';
import type { EntryTable } from '../read-model/read-model.schema.js';
import { WHOLE } from '../shards.js';
import { FoldSession } from './fold-session.js';
import { FoldedEntries } from './folded-entries.js';
import { FoldedIdentities, type FoldedIdentity } from './folded-identities.js';
import { FoldedLinks } from './folded-links.js';
import { FoldedNames } from './folded-names.js';
import type { FoldStatements, IdentityRow, LinkRow, LinkWrite } from './statements.js';

export type { FoldedEra, FoldedIdentity } from './folded-identities.js';

/** Keys of everything a contact names. */
export interface ContactPlaces {
  /** Whom it belongs to: the anchor, or the era of it that the contact lies in. */
  anchor: FoldedIdentity;
  conversation: number;
  channel: number;
  account: number;
}

/** What all folds of one batch share: the transaction, and bounded caches over the rows of each kind. */
export class FoldContext {
  private readonly batch = new FoldSession(this.statements, this.bulk, this.shard);
  private readonly tenants = new FoldedNames(this.batch, 'tenant');
  private readonly labels = new FoldedNames(this.batch, 'label');
  private readonly identities = new FoldedIdentities(this.batch);
  private readonly entries = new FoldedEntries(this.batch, this.bulk);
  private readonly links = new FoldedLinks(this.batch);

  /** Where contacts were recorded that this batch has shown to be somebody else's. */
  reattributed: number[] = [];

  constructor(
    readonly statements: FoldStatements,
    /** The timeline is filled at the end, in its own order. */
    readonly bulk: boolean,
    /** Each shard gives keys of its own. */
    private readonly shard = WHOLE,
  ) {}

  get session(): ReadModelSession {
    return this.batch.rows;
  }

  begin(session: ReadModelSession): Promise<void> {
    this.reattributed = [];
    this.identities.begin();
    this.entries.begin();
    this.links.forget();
    return this.batch.begin(session);
  }

  /** Asks in few questions for everything that contacts and decisions on links name and that is not known here. */
  async prefetch(
    contacts: Iterable<Pick<ContactSummary, 'identities' | 'conversation'>>,
    decisions: Iterable<LinkEvent['data']>,
  ): Promise<void> {
    const identities = new Set<Uuid>();
    const conversations = new Set<Uuid>();
    const links = new Set<Uuid>();
    for (const contact of contacts) {
      for (const { identity, blocked } of contact.identities) if (!blocked) identities.add(identity);
      conversations.add(contact.conversation);
    }
    for (const decision of decisions) {
      links.add(decision.link);
      if ('a' in decision) for (const identity of [decision.a, decision.b]) identities.add(identity);
    }
    await Promise.all([
      this.identities.prefetch(identities),
      this.entries.prefetch(conversations),
      this.links.prefetch(links),
    ]);
  }

  /** The places of a contact that brings nothing new but its conversation, all of them in memory; undefined otherwise. */
  known(tenantName: string, content: ContactSummary, occurredAtMs: number): ContactPlaces | undefined {
    const channel = this.labels.known(content.channel);
    const account = this.labels.known(content.account);
    const tenant = this.tenants.known(tenantName);
    const anchor = this.identities.known(content.anchor);
    if (channel === undefined || account === undefined || tenant === undefined) return undefined;
    if (!anchor || anchor.former || isEarlierName(content, occurredAtMs, anchor)) return undefined;
    for (const { identity, blocked, verified } of content.identities) {
      if (blocked) continue;
      const row: IdentityRow | undefined = identity === content.anchor ? anchor : this.identities.known(identity);
      if (!row || row.told === 0 || (verified && row.verified === 0)) return undefined;
      if (row !== anchor && !this.identities.isMentioned(row, anchor)) return undefined;
    }
    const conversation = this.entries.conversationAtOnce(content.conversation, tenant);
    return conversation === undefined ? undefined : { anchor, conversation, channel, account };
  }

  /** The places of any contact; what it names for the first time gets its rows. */
  async learn(
    tenantName: string,
    content: ContactSummary,
    occurredAtMs: number,
    position: number,
  ): Promise<ContactPlaces> {
    const { tenant, anchor: named } = await this.meet(tenantName, content, position, occurredAtMs);
    const anchor = await this.identities.holderAt(named, occurredAtMs);
    if (anchor.erased === null && isEarlierName(content, occurredAtMs, anchor))
      await this.identities.name(anchor, content.name, occurredAtMs, position);
    return {
      anchor,
      conversation: await this.entries.conversation(content.conversation, tenant),
      channel: await this.labels.key(content.channel),
      account: await this.labels.key(content.account),
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
    const tenant = await this.tenants.key(tenantName);
    let anchor: FoldedIdentity | undefined;
    const others: FoldedIdentity[] = [];
    for (const carried of content.identities) {
      if (carried.blocked) continue;
      const isAnchor = carried.identity === content.anchor;
      const naming =
        isAnchor && nameAtMs !== undefined && content.name ? { name: content.name, nameAt: nameAtMs } : undefined;
      const row = await this.identities.meet(carried, tenant, position, !content.erased, naming);
      if (isAnchor) anchor = row;
      else others.push(row);
    }
    if (!anchor) throw new Error(`the event at position ${position} names an anchor that it does not carry`);
    for (const other of others) await this.identities.mention(other, anchor, position);
    return { tenant, anchor };
  }

  tenant(text: string): Promise<number> {
    return this.tenants.key(text);
  }

  label(text: string): Promise<number> {
    return this.labels.key(text);
  }

  /** @see FoldedIdentities.find */
  findIdentity(id: Uuid): Promise<FoldedIdentity | undefined> {
    return this.identities.find(id);
  }

  /** @see FoldedIdentities.meet */
  identity(carried: CarriedIdentity, tenant: number, position: number, told: boolean): Promise<FoldedIdentity> {
    return this.identities.meet(carried, tenant, position, told);
  }

  /** @see FoldedIdentities.era */
  era(id: Uuid, whole: FoldedIdentity, position: number): Promise<FoldedIdentity> {
    return this.identities.era(id, whole, position);
  }

  /** @see FoldedIdentities.name */
  name(row: IdentityRow, name: string | null, nameAt: number | null, position: number): Promise<void> {
    return this.identities.name(row, name, nameAt, position);
  }

  /** @see FoldedIdentities.keep */
  keep(row: IdentityRow, position: number): Promise<void> {
    return this.identities.keep(row, position);
  }

  /** @see FoldedIdentities.mention */
  mention(identity: IdentityRow, anchor: IdentityRow, position: number): Promise<void> {
    return this.identities.mention(identity, anchor, position);
  }

  /** @see FoldedIdentities.customerOf */
  customerOf(identity: IdentityRow): number {
    return this.identities.customerOf(identity);
  }

  /** Makes two customers one. What that moves is not waited for: `settle` does. */
  join(from: number, to: number): Promise<void> {
    this.entries.moveTimeline(from, to);
    return this.identities.join(from, to);
  }

  /** @see FoldedIdentities.settle */
  settle(): Promise<void> {
    return this.identities.settle();
  }

  /** @see FoldedIdentities.moved */
  moved(ids: readonly Uuid[], customer: number): void {
    this.identities.moved(ids, customer);
  }

  /** @see FoldedIdentities.untold */
  untold(id: Uuid): void {
    this.identities.untold(id);
  }

  /** Tells the caches that an identity was erased. */
  erased(id: Uuid, position: number): void {
    this.identities.erased(id, position);
    this.links.forget();
  }

  /** @see FoldedLinks.find */
  findLink(link: Uuid): Promise<LinkRow | undefined> {
    return this.links.find(link);
  }

  /** @see FoldedLinks.add */
  addLink(link: Uuid, row: Omit<LinkWrite, 'key' | 'id'>): Promise<void> {
    return this.links.add(link, row);
  }

  /** @see FoldedEntries.conversation */
  conversation(id: Uuid, tenant: number): Promise<number> {
    return this.entries.conversation(id, tenant);
  }

  /** @see FoldedEntries.add */
  addEntry(entry: EntryTable, customer: number): void {
    this.entries.add(entry, customer);
  }

  /** Writes what waits; needed before anything looks at or moves it, and at the end of a batch. */
  flush(): Promise<void> {
    return this.entries.flush();
  }

  /** Forgets everything: after a transaction that was rolled back. */
  reset(): void {
    this.batch.reset();
    this.tenants.reset();
    this.labels.reset();
    this.identities.reset();
    this.entries.reset();
  }
}

// The earliest name stays: whichever order contacts arrive in, the same one is kept.
const isEarlierName = (
  content: ContactSummary,
  occurredAtMs: number,
  anchor: IdentityRow,
): content is ContactSummary & { name: string } =>
  content.name !== undefined && content.name !== '' && (anchor.nameAt === null || occurredAtMs < anchor.nameAt);
