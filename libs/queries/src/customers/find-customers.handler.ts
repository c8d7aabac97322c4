import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ReadModel } from '#libs/projections';
import { invalidQuery } from '../shared/cursor.js';
import { CustomerReader } from './customer-reader.js';
import type { CustomerListDto } from './customer.dto.js';
import { IdentityFinder } from './identity-finder.js';

/** At most so many customers are shown behind one shared identifier. */
const MAX_FOUND = 20;

export class FindCustomersQuery extends Query<CustomerListDto> {
  constructor(
    readonly tenant: string,
    /** `type:value`, any spelling. */
    readonly identifier: string,
  ) {
    super();
  }
}

/** Everybody an identifier may stand for: who it belongs to, else everybody who was seen with it. */
@QueryHandler(FindCustomersQuery)
export class FindCustomersHandler implements IQueryHandler<FindCustomersQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly identities: IdentityFinder,
    private readonly reader: CustomerReader,
  ) {}

  async execute({ tenant, identifier }: FindCustomersQuery): Promise<CustomerListDto> {
    const colon = identifier.indexOf(':');
    if (colon < 1 || colon === identifier.length - 1)
      throw invalidQuery(
        'identifier',
        'has no type and value',
        'type:value is allowed, for example email:ana@example.com',
      );
    const [type, value] = [identifier.slice(0, colon), identifier.slice(colon + 1)];
    const identity = await this.identities.byIdentifier(tenant, type, value);
    if (!identity) return { items: [] };
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
    const found = await Promise.all(keys.map((key) => this.reader.read(key)));
    // An identifier that belongs to nobody in particular is a customer without contacts: those seen with it are meant.
    const [own, ...others] = found;
    const items = others.length > 0 && own!.interactions === 0 && own!.profiles.length === 0 ? others : found;
    return { items };
  }
}
