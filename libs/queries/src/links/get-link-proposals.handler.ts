import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { uuidOfBytes } from '#libs/kernel';
import type { LinkStatus } from '#libs/projections';
import { kysely } from '#libs/projections/read-model/kysely.js';
import { pageOf, startOf, type PageBounds } from '../shared/cursor.js';
import { Labels } from '../shared/labels.js';
import { LinkReader } from './link-reader.js';
import type { LinkProposalPageDto } from './links.dto.js';

export interface LinkProposalsQuestion extends PageBounds {
  tenant: string;
}

export class GetLinkProposalsQuery extends Query<LinkProposalPageDto> {
  constructor(readonly question: LinkProposalsQuestion) {
    super();
  }
}

/** Open proposals, newest first; not those whose two ends have become one customer by other links. */
@QueryHandler(GetLinkProposalsQuery)
export class GetLinkProposalsHandler implements IQueryHandler<GetLinkProposalsQuery> {
  constructor(
    private readonly labels: Labels,
    private readonly links: LinkReader,
  ) {}

  async execute({ question: q }: GetLinkProposalsQuery): Promise<LinkProposalPageDto> {
    const { place, newer } = startOf(q);
    const tenant = await this.labels.tenant(q.tenant);
    if (tenant === undefined) return { items: [] };
    let page = this.links
      .rows()
      .select(['link.evidence', 'link.confidence', 'link.reason', 'link.rule'])
      .where('link.tenant', '=', tenant)
      // Written out: a partial index serves no value that is known later.
      .where('link.status', '=', kysely().sql.lit<LinkStatus>('proposed'))
      .whereRef('a.customer', '!=', 'b.customer')
      .orderBy('link.lastPosition', newer ? 'asc' : 'desc')
      .limit(q.limit + 1);
    if (place !== undefined) page = page.where('link.lastPosition', newer ? '>' : '<', place.position);
    const found = await page.execute();
    // Links have one place in the log and none in time.
    const { rows, cursors } = pageOf(
      found.map((row) => ({ ...row, occurredAt: 0 })),
      q,
    );
    return {
      items: await Promise.all(
        rows.map(async (row) => {
          const id = uuidOfBytes(row.id);
          const proposed = (await this.links.decisions(id, row.position)).at(-1)!;
          return {
            id,
            proposedAt: proposed.at,
            position: row.position,
            evidence: row.evidence,
            confidence: row.confidence,
            reason: row.reason ?? '',
            ...(row.rule === null ? {} : { rule: row.rule }),
            between: this.links.ends(row),
          };
        }),
      ),
      ...cursors,
    };
  }
}
