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
    if (!this.bulk) this.newTimelines.push({ ...timelineOf(entry), customer });
  }

  /** Moves what waits from the timeline of one customer to that of another. */
  moveTimeline(from: number, to: number): void {
    for (const row of this.newTimelines) if (row.customer === from) row.customer = to;
  }

  /** The key of a conversation that is in memory. */
  knownConversation(id: Uuid): number | undefined {
    return this.conversations.get(id);
  }

  /** The key of a conversation, given when it occurs for the first time. */
  async conversation(id: Uuid, tenant: number): Promise<number> {
    const known = this.conversations.get(id);
    if (known !== undefined) return known;
    const { session } = this;
    const bytes = bytesOfUuid(id);
    let key: number | undefined;
    if (!this.absent.delete(id) && session.mayHaveRow(bytes))
      key = (await session.rows.all(this.statements.findConversation, { id: bytes }))[0]?.key;
    if (key === undefined) {
      key = session.next('conversation');
      session.getsRow(bytes);
      this.newConversations.push({ key, id: bytes, tenant });
    }
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

const timelineOf = ({
  occurredAt,
  position,
  identity,
  channel,
  kind,
  direction,
}: EntryTable): Omit<TimelineTable, 'customer'> => ({
  occurredAt,
  position,
  identity,
  channel,
  kind,
  direction,
});
