import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { ReadModel } from '#libs/projections';
import { HubError, bytesOfUuid, isUuid, uuidOfBytes } from '#libs/kernel';
import { Bodies } from '../interactions/bodies.js';
import { AS_OF_POSITION } from '../as-of/as-of.docs.js';
import { Past } from '../as-of/past.js';
import { pageOf, shownAsOf, type AsOf, type PageBounds } from '../shared/cursor.js';
import { Labels } from '../shared/labels.js';
import { conditionsOf } from '../shared/page-conditions.js';
import { entryText, Entries, readEntry, type EntryRow } from '../timeline/entries.js';
import { TimelineEntryDto } from '../timeline/timeline.dto.js';

/** One conversation with a page of its contacts, newest first. */
export class ConversationDto {
  @ApiProperty({ type: String, format: 'uuid' })
  id!: string;
  @ApiProperty({ type: [String], format: 'uuid', description: 'Who took part: normally one customer' })
  customers!: string[];
  @ApiProperty({ type: [TimelineEntryDto] })
  items!: TimelineEntryDto[];
  @ApiPropertyOptional({ type: String })
  next?: string;
  @ApiPropertyOptional({ type: String })
  previous?: string;
  @ApiPropertyOptional({ type: Number, description: AS_OF_POSITION })
  asOfPosition?: number;
}

export interface ConversationQuestion extends PageBounds {
  tenant: string;
  id: string;
  body?: boolean;
}

interface ConversationRows {
  rows: EntryRow[];
  /** Ids of those who took part, the earliest customer first. */
  customers: Buffer[];
}

/** At most so many who took part are named. */
const MAX_CUSTOMERS = 20;

export class GetConversationQuery extends Query<ConversationDto> {
  constructor(readonly question: ConversationQuestion) {
    super();
  }
}

@QueryHandler(GetConversationQuery)
export class GetConversationHandler implements IQueryHandler<GetConversationQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
    private readonly entries: Entries,
    private readonly bodies: Bodies,
  ) {}

  async execute({ question: q }: GetConversationQuery): Promise<ConversationDto> {
    const tenant = await this.labels.tenant(q.tenant);
    const conversation =
      tenant !== undefined && isUuid(q.id)
        ? await this.readModel.db
            .selectFrom('conversation')
            .selectAll()
            .where('id', '=', bytesOfUuid(q.id))
            .executeTakeFirst()
        : undefined;
    if (!conversation || conversation.tenant !== tenant) throw notFound();
    const { rows: found, customers } = q.asOf
      ? await this.past(conversation.key, q, q.asOf)
      : await this.present(conversation.key, q);
    // Whoever took part was erased.
    if (customers.length === 0) throw notFound();
    const { rows, cursors } = pageOf(found, q);
    const items = await this.entries.show(rows);
    if (q.body) await this.bodies.fill(items, q.asOf?.position);
    return { id: q.id, customers: customers.map(uuidOfBytes), items, ...cursors, ...shownAsOf(q.asOf) };
  }

  private async present(conversation: number, q: ConversationQuestion): Promise<ConversationRows> {
    const direction = q.after === undefined ? 'desc' : 'asc';
    const [found, customers] = await Promise.all([
      this.readModel.db
        .selectFrom('entry')
        .innerJoin('conversation', 'conversation.key', 'entry.conversation')
        .select(entryText(this.readModel.db))
        .where('entry.conversation', '=', conversation)
        .where(conditionsOf('entry', q))
        .orderBy('entry.occurredAt', direction)
        .orderBy('entry.position', direction)
        .limit(q.limit + 1)
        .execute(),
      this.readModel.db
        .selectFrom('entry')
        .innerJoin('identity', 'identity.key', 'entry.identity')
        .innerJoin('identity as first', 'first.key', 'identity.customer')
        .select(['first.key', 'first.id'])
        .distinct()
        .where('entry.conversation', '=', conversation)
        .orderBy('first.key')
        .limit(MAX_CUSTOMERS)
        .execute(),
    ]);
    return { rows: found.map(({ text }) => readEntry(text)), customers: customers.map(({ id }) => id) };
  }

  private past(conversation: number, q: ConversationQuestion, { position }: AsOf): Promise<ConversationRows> {
    return this.readModel.snapshot(async (db) => {
      const past = new Past(db, position);
      const found = await past.conversation(conversation, q);
      if (!found) throw notFound();
      const customers = (await past.customersOf(found.identities)).slice(0, MAX_CUSTOMERS);
      const first = await past.identities(customers.map(([earliest]) => earliest!));
      return { rows: found.rows, customers: first.map(({ id }) => id) };
    });
  }
}

const notFound = (): HubError => new HubError('CONVERSATION.NOT_FOUND', 'no conversation has this id');
