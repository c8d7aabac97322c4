import { Injectable } from '@nestjs/common';
import { ReadModel } from '#libs/projections';
import { HubError, bytesOfUuid, isUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { Labels } from '../shared/labels.js';

/** Finds who an id names: any identity of a customer, now or before a merge. */
@Injectable()
export class CustomerDirectory {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
  ) {}

  /** Key of the customer that an id resolves to; undefined for unknown ids, malformed ids and those of other tenants alike. */
  async find(tenant: string, id: string): Promise<number | undefined> {
    const tenantKey = await this.labels.tenant(tenant);
    if (tenantKey === undefined || !isUuid(id)) return undefined;
    const row = await this.readModel.db
      .selectFrom('identity')
      .select(['customer', 'tenant'])
      .where('id', '=', bytesOfUuid(id))
      .executeTakeFirst();
    return row?.tenant === tenantKey ? row.customer : undefined;
  }

  /** @throws HubError `CUSTOMER.NOT_FOUND` */
  async get(tenant: string, id: string): Promise<number> {
    const key = await this.find(tenant, id);
    if (key === undefined) throw new HubError('CUSTOMER.NOT_FOUND', 'no customer has this id');
    return key;
  }

  /** Ids of all identities of the customer that an id resolves to. */
  async identitiesOf(tenant: string, id: string): Promise<Uuid[] | undefined> {
    const customer = await this.find(tenant, id);
    if (customer === undefined) return undefined;
    const rows = await this.readModel.db
      .selectFrom('identity')
      .select('id')
      .where('customer', '=', customer)
      .orderBy('key')
      .execute();
    return rows.map((row) => uuidOfBytes(row.id));
  }
}
