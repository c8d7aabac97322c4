import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CustomerDirectory } from './customer-directory.js';
import { CustomerReader } from './customer-reader.js';
import type { CustomerDto } from './customer.dto.js';

export class GetCustomerQuery extends Query<CustomerDto> {
  constructor(
    readonly tenant: string,
    readonly id: string,
  ) {
    super();
  }
}

@QueryHandler(GetCustomerQuery)
export class GetCustomerHandler implements IQueryHandler<GetCustomerQuery> {
  constructor(
    private readonly customers: CustomerDirectory,
    private readonly reader: CustomerReader,
  ) {}

  async execute({ tenant, id }: GetCustomerQuery): Promise<CustomerDto> {
    return this.reader.read(await this.customers.get(tenant, id));
  }
}
