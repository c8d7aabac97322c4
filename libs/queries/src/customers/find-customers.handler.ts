import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Uuid } from '#libs/kernel';
import { ReadModel } from '#libs/projections';
import { Moments } from '../as-of/moments.js';
import { Past } from '../as-of/past.js';
import { invalidQuery, shownAsOf, type AsOf } from '../shared/cursor.js';
import { Labels } from '../shared/labels.js';
import { CustomerReader, type CustomerRows } from './customer-reader.js';
import type { CustomerDto, CustomerListDto } from './customer.dto.js';
import { IdentityFinder, type FoundIdentity } from './identity-finder.js';

/** At most so many customers are shown behind one shared identifier. */
const MAX_FOUND = 20;

export class FindCustomersQuery extends Query<CustomerListDto> {
  constructor(
    readonly tenant: string,
    /** `type:value`, any spelling. */
    readonly identifier: string,
    readonly asOf?: AsOf,
  ) {
    super();
  }
}

/** Everybody an identifier may stand for: who it belongs to, else everybody who was seen with it. */
@QueryHandler(FindCustomersQuery)
export class FindCustomersHandler implements IQueryHandler<FindCustomersQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
    private readonly identities: IdentityFinder,
    private readonly reader: CustomerReader,
    private readonly moments: Moments,
  ) {}

  async execute({ tenant, identifier, asOf }: FindCustomersQuery): Promise<CustomerListDto> {
    const colon = identifier.indexOf(':');
    if (colon < 1 || colon === identifier.length - 1)
      throw invalidQuery(
        'identifier',
        'has no type and value',
        'type:value is allowed, for example email:ana@example.com',
      );
    const [type, value] = [identifier.slice(0, colon), identifier.slice(colon + 1)];
    const identity = await this.identities.byIdentifier(tenant, type, value);
    const tenantKey = await this.labels.tenant(tenant);
    if (!identity || tenantKey === undefined) return { items: [], ...shownAsOf(asOf) };
    const found = asOf ? await this.past(tenantKey, identity.id, asOf) : await this.present(identity);
    // An identifier that belongs to nobody in particular is a customer without contacts: those seen with it are meant.
    const [own, ...others] = found;
    const items = others.length > 0 && own!.interactions === 0 && own!.profiles.length === 0 ? others : found;
    return { items, ...shownAsOf(asOf) };
  }

  /** Who the identity belongs to, then those who were seen with it. */
  private async present(identity: FoundIdentity): Promise<CustomerDto[]> {
    const mentioned = await this.readModel.db
      .selectFrom('mention')
      .innerJoin('identity', 'identity.key', 'mention.anchor')
      .select('identity.customer')
      .distinct()
      .where('mention.identity', '=', identity.key)
      .orderBy('identity.customer')
      .limit(MAX_FOUND)
      .execute();
    const keys = [...new Set([identity.customer, ...mentioned.map(({ customer }) => customer)])];
    return Promise.all(keys.map((key) => this.reader.read(key)));
  }

  private async past(tenant: number, id: Uuid, asOf: AsOf): Promise<CustomerDto[]> {
    const found = await this.readModel.snapshot(async (db) => {
      const past = new Past(db, asOf.position);
      const identity = await past.identity(tenant, id);
      if (identity === undefined) return [];
      const [own] = await past.customersOf([identity]);
      const seen = (await past.customersOf(await past.seenWith(identity))).slice(0, MAX_FOUND);
      const customers = [own!, ...seen.filter(([first]) => first !== own![0])];
      const rows: CustomerRows[] = [];
      for (const identities of customers) rows.push(await this.reader.readPast(past, identities));
      return rows;
    });
    const atMs = await this.moments.of(asOf);
    return Promise.all(found.map((rows) => this.reader.show(rows, atMs)));
  }
}
