import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { uuidOfBytes } from '#libs/kernel';
import { ReadModel } from '#libs/projections';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { pageOf, startOf, type PageBounds } from '../shared/cursor.js';
import { LinkReader } from './link-reader.js';
import type { CustomerIdentitiesDto } from './links.dto.js';

export interface CustomerIdentitiesQuestion extends PageBounds {
  tenant: string;
  customer: string;
}

export class GetCustomerIdentitiesQuery extends Query<CustomerIdentitiesDto> {
  constructor(readonly question: CustomerIdentitiesQuestion) {
    super();
  }
}

/** Who a customer is made of, and every link that ever touched one of them. */
@QueryHandler(GetCustomerIdentitiesQuery)
export class GetCustomerIdentitiesHandler implements IQueryHandler<GetCustomerIdentitiesQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly customers: CustomerDirectory,
    private readonly links: LinkReader,
  ) {}

  async execute({ question: q }: GetCustomerIdentitiesQuery): Promise<CustomerIdentitiesDto> {
    const customer = await this.customers.get(q.tenant, q.customer);
    const { db } = this.readModel;
    const members = db.selectFrom('identity').select('key').where('customer', '=', customer);
    const { place, newer } = startOf(q);
    let page = this.links
      .rows()
      .where((e) => e.or([e('link.a', 'in', members), e('link.b', 'in', members)]))
      .orderBy('link.lastPosition', newer ? 'asc' : 'desc')
      .limit(q.limit + 1);
    if (place !== undefined) page = page.where('link.lastPosition', newer ? '>' : '<', place.position);
    const [identities, found] = await Promise.all([
      db.selectFrom('identity').selectAll().where('customer', '=', customer).orderBy('key').execute(),
      page.execute(),
    ]);
    // Links have one place in the log and none in time.
    const { rows, cursors } = pageOf(
      found.map((row) => ({ ...row, occurredAt: 0 })),
      q,
    );
    return {
      id: uuidOfBytes(identities[0]!.id),
      identities: identities.map(({ id, type, value, verified, name }) => ({
        id: uuidOfBytes(id),
        type,
        value,
        verified: verified === 1,
        ...(name === null ? {} : { name }),
      })),
      links: await Promise.all(
        rows.map(async (row) => {
          const id = uuidOfBytes(row.id);
          return {
            id,
            status: row.status,
            between: this.links.ends(row),
            decisions: await this.links.decisions(id, row.position),
          };
        }),
      ),
      ...cursors,
    };
  }
}
