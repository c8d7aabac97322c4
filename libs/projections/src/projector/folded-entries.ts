import { LruMap, bytesOfUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import type { EntryTable, TimelineTable } from '../read-model/read-model.schema.js';
import type { FoldSession } from './fold-session.js';
import type { NewConversation } from './statements.js';

/** At least twice the conversations of a batch: those not written yet are known here only. */
const CACHED_CONVERSATIONS = 20_000;

/** Entries with their conversations and their places in timelines; what nothing of a batch reads back is written together. */
export class FoldedEntries {
  private readonly conversations = new LruMap<Uuid, number>(CACHED_CONVERSATIONS);
  // Conversations that this batch names and that had no row when it began: nobody need ask for them again.
  private readonly absent = new Set<Uuid>();
  private newConversations: NewConversation[] = [];
  private newEntries: EntryTable[] = [];
  private newTimelines: TimelineTable[] = [];
  private readonly statements = this.session.statements;

  constructor(
    private readonly session: FoldSession,
    /** The timeline is filled at the end, in its own order. */
    private readonly bulk: boolean,
  ) {}

  begin(): void {
    this.absent.clear();
  }

  add(entry: EntryTable, customer: number): void {
    this.newEntries.push(entry);
    if (!this.bulk) this.newTimelines.push(timelineOf(entry, customer));
  }

  /** Moves what waits from the timeline of one customer to that of another. */
  moveTimeline(from: number, to: number): void {
    for (const row of this.newTimelines) if (row.customer === from) row.customer = to;
  }

  /** The key of a conversation, given when it occurs for the first time. */
  async conversation(id: Uuid, tenant: number): Promise<number> {
    const key = this.conversationAtOnce(id, tenant);
    if (key !== undefined) return key;
    const found = (await this.session.rows.all(this.statements.findConversation, { id: bytesOfUuid(id) }))[0]?.key;
    if (found === undefined) return this.addConversation(id, tenant);
    this.conversations.set(id, found);
    return found;
  }

  /** The same without asking anybody; undefined where it may have a row that is not in memory. */
  conversationAtOnce(id: Uuid, tenant: number): number | undefined {
    const known = this.conversations.get(id);
    if (known !== undefined) return known;
    const hasNoRow = this.absent.has(id) || !this.session.mayHaveRow(bytesOfUuid(id));
    return hasNoRow ? this.addConversation(id, tenant) : undefined;
  }

  private addConversation(id: Uuid, tenant: number): number {
    const key = this.session.next('conversation');
    const bytes = bytesOfUuid(id);
    this.session.getsRow(bytes);
    this.absent.delete(id);
    this.newConversations.push({ key, id: bytes, tenant });
    this.conversations.set(id, key);
    return key;
  }

  /** Asks for those of these conversations that are not in memory. */
  async prefetch(ids: Iterable<Uuid>): Promise<void> {
    const absent = new Set([...ids].filter((id) => this.conversations.get(id) === undefined));
    const { findConversations } = this.statements;
    for (const { id: bytes, key } of await this.session.findAll(findConversations, [...absent].map(bytesOfUuid))) {
      const id = uuidOfBytes(bytes);
      absent.delete(id);
      this.conversations.set(id, key);
    }
    for (const id of absent) this.absent.add(id);
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    const { statements } = this;
    const { rows } = this.session;
    const [conversations, entries, timelines] = [this.newConversations, this.newEntries, this.newTimelines];
    this.forgetNew();
    await rows.insert(statements.addConversations, conversations);
    await rows.insert(statements.addEntries, entries);
    await rows.insert(statements.addTimelines, timelines);
  }

  reset(): void {
    this.conversations.clear();
    this.forgetNew();
  }

  private forgetNew(): void {
    this.newConversations = [];
    this.newEntries = [];
    this.newTimelines = [];
  }
}

const timelineOf = (entry: EntryTable, customer: number): TimelineTable => ({
  customer,
  occurredAt: entry.occurredAt,
  position: entry.position,
  identity: entry.identity,
  channel: entry.channel,
  kind: entry.kind,
  direction: entry.direction,
});
