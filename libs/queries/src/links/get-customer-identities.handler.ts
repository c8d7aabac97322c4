import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { uuidOfBytes } from '#libs/kernel';
import { ReadModel, type IdentityTable } from '#libs/projections';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { pageOf, shownAsOf, startOf, type AsOf, type PageBounds } from '../shared/cursor.js';
import type { ShownIdentity } from '../customers/show-identity.js';
import { LinkReader, namedIdentity } from './link-reader.js';
import type { CustomerIdentitiesDto, LinkDto, LinkEndDto } from './links.dto.js';

export interface CustomerIdentitiesQuestion extends PageBounds {
  tenant: string;
  customer: string;
}

export class GetCustomerIdentitiesQuery extends Query<CustomerIdentitiesDto> {
  constructor(readonly question: CustomerIdentitiesQuestion) {
    super();
  }
}

/** Who a customer is or was made of, and every link that had touched one of them by then. */
@QueryHandler(GetCustomerIdentitiesQuery)
export class GetCustomerIdentitiesHandler implements IQueryHandler<GetCustomerIdentitiesQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly customers: CustomerDirectory,
    private readonly links: LinkReader,
  ) {}

  async execute({ question: q }: GetCustomerIdentitiesQuery): Promise<CustomerIdentitiesDto> {
    const { identities, links } = q.asOf ? await this.past(q, q.asOf) : await this.present(q);
    // Links have one place in the log and none in time.
    const { rows, cursors } = pageOf(
      links.map((link) => ({ ...link, occurredAt: 0 })),
      q,
    );
    return {
      id: uuidOfBytes(identities[0]!.id),
      identities: identities.map(namedIdentity),
      links: await Promise.all(
        rows.map(async ({ id, status, position, between }) => ({
          id,
          status,
          between,
          decisions: await this.links.decisions(id, position),
        })),
      ),
      ...shownAsOf(q.asOf),
      ...cursors,
    };
  }

  private async present(q: CustomerIdentitiesQuestion): Promise<Found> {
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
    const links = found.map((row) => ({
      id: uuidOfBytes(row.id),
      status: row.status,
      position: row.position,
      between: this.links.ends(row),
    }));
    return { identities, links };
  }

  private past(q: CustomerIdentitiesQuestion, { position }: AsOf): Promise<Found> {
    const { place, newer } = startOf(q);
    return this.customers.inPast(q.tenant, q.customer, position, async (past, members) => {
      const links = (await past.links(members))
        .filter(({ lastPosition: at }) => place === undefined || (newer ? at > place.position : at < place.position))
        .toSorted((one, other) => (newer ? 1 : -1) * (one.lastPosition - other.lastPosition))
        .slice(0, q.limit + 1);
      const customers = await past.customersOf(links.flatMap(({ a, b }) => [a, b]));
      const known = await past.identities([...new Set([...members, ...customers.flat()])]);
      const identityOf = new Map(known.map((identity) => [identity.key, identity]));
      const endOf = (key: number): LinkEndDto => {
        const [customer] = customers.find((keys) => keys.includes(key))!;
        const identity = namedIdentity(identityOf.get(key)!);
        return Object.assign(identity, { customer: uuidOfBytes(identityOf.get(customer!)!.id) });
      };
      return {
        identities: members.map((key) => identityOf.get(key)!),
        links: links.map(({ id, a, b, status, lastPosition }) => ({
          id: uuidOfBytes(id),
          status,
          position: lastPosition,
          between: [endOf(a), endOf(b)],
        })),
      };
    });
  }
}

/** Identities in the order they were first seen, and the links of a page with one more. */
interface Found {
  identities: (ShownIdentity & Pick<IdentityTable, 'name'>)[];
  links: (Omit<LinkDto, 'decisions'> & { position: number })[];
}
