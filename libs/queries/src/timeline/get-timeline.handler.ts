import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DIRECTION_CODES, KIND_CODES, ReadModel } from '#libs/projections';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { Bodies } from '../interactions/bodies.js';
import { pageOf, startOf, type PageBounds } from '../shared/cursor.js';
import { Labels } from '../shared/labels.js';
import { ENTRY_TEXT, Entries, readEntry } from './entries.js';
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
    const customer = await this.customers.get(q.tenant, q.customer);
    const { place, newer } = startOf(q);
    let page = this.readModel.db
      .selectFrom('timeline')
      .innerJoin('entry', 'entry.position', 'timeline.position')
      .innerJoin('conversation', 'conversation.key', 'entry.conversation')
      .select(ENTRY_TEXT)
      .where('timeline.customer', '=', customer)
      .orderBy('timeline.occurredAt', newer ? 'asc' : 'desc')
      .orderBy('timeline.position', newer ? 'asc' : 'desc')
      .limit(q.limit + 1);
    if (place !== undefined) {
      page = page.where((e) =>
        e(
          e.refTuple('timeline.occurredAt', 'timeline.position'),
          newer ? '>' : '<',
          e.tuple(place.occurredAt, place.position),
        ),
      );
    }
    if (q.from !== undefined) page = page.where('timeline.occurredAt', '>=', q.from);
    if (q.to !== undefined) page = page.where('timeline.occurredAt', '<', q.to);
    if (q.channels) {
      const keys = await this.labels.keysOf(q.channels);
      if (keys.length === 0) return { items: [] };
      page = page.where('timeline.channel', 'in', keys);
    }
    if (q.kinds)
      page = page.where(
        'timeline.kind',
        'in',
        q.kinds.map((k) => KIND_CODES.indexOf(k)),
      );
    if (q.directions)
      page = page.where(
        'timeline.direction',
        'in',
        q.directions.map((d) => DIRECTION_CODES.indexOf(d)),
      );

    const found = await page.execute();
    const { rows, cursors } = pageOf(
      found.map(({ text }) => readEntry(text)),
      q,
    );
    const items = await this.entries.show(rows);
    if (q.body) await this.bodies.fill(items);
    return {
      items,
      ...cursors,
    };
  }
}
