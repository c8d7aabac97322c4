import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DIRECTION_CODES, KIND_CODES, ReadModel } from '#libs/projections';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { Bodies } from '../interactions/bodies.js';
import { pageOf, shownAsOf, type AsOf, type PageBounds } from '../shared/cursor.js';
import { Labels } from '../shared/labels.js';
import { conditionsOf, type PageQuestion } from '../shared/page-conditions.js';
import { entryText, Entries, readEntry, type EntryRow } from './entries.js';
import type { TimelinePageDto } from './timeline.dto.js';

export interface TimelineQuestion extends PageBounds {
  tenant: string;
  customer: string;
  channels?: string[];
  kinds?: string[];
  directions?: string[];
  /** Epoch milliseconds, inclusive. */
  from?: number;
  /** Epoch milliseconds, exclusive. */
  to?: number;
  body?: boolean;
}

export class GetTimelineQuery extends Query<TimelinePageDto> {
  constructor(readonly question: TimelineQuestion) {
    super();
  }
}

/** One page of a customer's timeline, newest first; pages neither skip nor repeat, whatever arrives between them. */
@QueryHandler(GetTimelineQuery)
export class GetTimelineHandler implements IQueryHandler<GetTimelineQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly customers: CustomerDirectory,
    private readonly labels: Labels,
    private readonly entries: Entries,
    private readonly bodies: Bodies,
  ) {}

  async execute({ question: q }: GetTimelineQuery): Promise<TimelinePageDto> {
    const question: PageQuestion = {
      ...q,
      channels: q.channels && (await this.labels.keysOf(q.channels)),
      kinds: q.kinds?.map((kind) => KIND_CODES.indexOf(kind)),
      directions: q.directions?.map((direction) => DIRECTION_CODES.indexOf(direction)),
    };
    const found = q.asOf ? await this.past(q, question, q.asOf) : await this.present(q, question);
    const { rows, cursors } = pageOf(found, q);
    const items = await this.entries.show(rows);
    if (q.body) await this.bodies.fill(items, q.asOf?.position);
    return { items, ...cursors, ...shownAsOf(q.asOf) };
  }

  private async present(q: TimelineQuestion, question: PageQuestion): Promise<EntryRow[]> {
    const customer = await this.customers.get(q.tenant, q.customer);
    const direction = q.after === undefined ? 'desc' : 'asc';
    const { db } = this.readModel;
    const found = await db
      .selectFrom('timeline')
      .innerJoin('entry', 'entry.position', 'timeline.position')
      .innerJoin('conversation', 'conversation.key', 'entry.conversation')
      .select(entryText(db))
      .where('timeline.customer', '=', customer)
      .where(conditionsOf('timeline', question))
      .orderBy('timeline.occurredAt', direction)
      .orderBy('timeline.position', direction)
      .limit(q.limit + 1)
      .execute();
    return found.map(({ text }) => readEntry(text));
  }

  private past(q: TimelineQuestion, question: PageQuestion, { position }: AsOf): Promise<EntryRow[]> {
    return this.customers.inPast(q.tenant, q.customer, position, (past, identities) =>
      past.timeline(identities, question),
    );
  }
}
