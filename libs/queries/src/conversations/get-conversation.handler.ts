import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ReadModel } from '#libs/projections';
import { HubError, bytesOfUuid, isUuid, uuidOfBytes } from '#libs/kernel';
import { Bodies } from '../interactions/bodies.js';
import { pageOf, startOf, type PageBounds } from '../shared/cursor.js';
import { Labels } from '../shared/labels.js';
import { ENTRY_TEXT, Entries, readEntry } from '../timeline/entries.js';
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
}

export interface ConversationQuestion extends PageBounds {
  tenant: string;
  id: string;
  body?: boolean;
}

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
    if (!conversation || conversation.tenant !== tenant)
      throw new HubError('CONVERSATION.NOT_FOUND', 'no conversation has this id');
    const { place, newer } = startOf(q);
    let page = this.readModel.db
      .selectFrom('entry')
      .innerJoin('conversation', 'conversation.key', 'entry.conversation')
      .select(ENTRY_TEXT)
      .where('entry.conversation', '=', conversation.key)
      .orderBy('entry.occurredAt', newer ? 'asc' : 'desc')
      .orderBy('entry.position', newer ? 'asc' : 'desc')
      .limit(q.limit + 1);
    if (place !== undefined) {
      page = page.where((e) =>
        e(
          e.refTuple('entry.occurredAt', 'entry.position'),
          newer ? '>' : '<',
          e.tuple(place.occurredAt, place.position),
        ),
      );
    }
    const [found, customers] = await Promise.all([
      page.execute(),
      this.readModel.db
        .selectFrom('entry')
        .innerJoin('identity', 'identity.key', 'entry.identity')
        .innerJoin('identity as first', 'first.key', 'identity.customer')
        .select('first.id')
        .distinct()
        .where('entry.conversation', '=', conversation.key)
        .limit(20)
        .execute(),
    ]);
    const { rows, cursors } = pageOf(
      found.map(({ text }) => readEntry(text)),
      q,
    );
    const items = await this.entries.show(rows);
    if (q.body) await this.bodies.fill(items);
    return {
      id: q.id,
      customers: customers.map(({ id }) => uuidOfBytes(id)),
      items,
      ...cursors,
    };
  }
}
