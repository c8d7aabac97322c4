import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { Moments } from '../as-of/moments.js';
import { shownAsOf, type AsOf } from '../shared/cursor.js';
import { CustomerDirectory } from './customer-directory.js';
import { CustomerReader } from './customer-reader.js';
import type { CustomerDto } from './customer.dto.js';

export class GetCustomerQuery extends Query<CustomerDto> {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly asOf?: AsOf,
  ) {
    super();
  }
}

@QueryHandler(GetCustomerQuery)
export class GetCustomerHandler implements IQueryHandler<GetCustomerQuery> {
  constructor(
    private readonly customers: CustomerDirectory,
    private readonly reader: CustomerReader,
    private readonly moments: Moments,
  ) {}

  async execute({ tenant, id, asOf }: GetCustomerQuery): Promise<CustomerDto> {
    if (!asOf) return this.reader.read(await this.customers.get(tenant, id));
    const rows = await this.customers.inPast(tenant, id, asOf.position, (past, identities) =>
      this.reader.readPast(past, identities),
    );
    return Object.assign(await this.reader.show(rows, await this.moments.of(asOf)), shownAsOf(asOf));
  }
}
