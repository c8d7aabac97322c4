import { Injectable } from '@nestjs/common';
import { normaliseIdentifier } from '#libs/domain';
import { AccountCountries, IdFactory, bytesOfUuid, isUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { ReadModel } from '#libs/projections';
import { Labels } from '../shared/labels.js';
import { customerErased } from './erased.js';

export interface FoundIdentity {
  id: Uuid;
  /** Of its row. */
  key: number;
  /** Key of the customer it belongs to now. */
  customer: number;
}

/** Finds the identity that somebody names. Unknown ones and those of other tenants are told by nothing. */
@Injectable()
export class IdentityFinder {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
    private readonly ids: IdFactory,
    private readonly countries: AccountCountries,
  ) {}

  /** @param reference id of an identity, or `type:value` in any spelling; undefined for anything else too. @throws HubError `CUSTOMER.ERASED` */
  async find(tenant: string, reference: string): Promise<FoundIdentity | undefined> {
    const colon = reference.indexOf(':');
    if (colon < 0) return isUuid(reference) ? this.byId(tenant, reference) : undefined;
    if (colon === 0 || colon === reference.length - 1) return undefined;
    return this.byIdentifier(tenant, reference.slice(0, colon), reference.slice(colon + 1));
  }

  /** By an identifier as anybody may write it. */
  byIdentifier(tenant: string, type: string, value: string): Promise<FoundIdentity | undefined> {
    const country = this.countries.countryOf(tenant, '');
    const normalised = normaliseIdentifier({ type, value }, country === undefined ? {} : { defaultCountry: country });
    return this.byId(tenant, this.ids.identity(tenant, normalised.type, normalised.value));
  }

  private async byId(tenant: string, id: Uuid): Promise<FoundIdentity | undefined> {
    const tenantKey = await this.labels.tenant(tenant);
    if (tenantKey === undefined) return undefined;
    const row = await this.readModel.db
      .selectFrom('identity')
      .select(['key', 'id', 'customer', 'erasure'])
      .where('id', '=', bytesOfUuid(id))
      .where('tenant', '=', tenantKey)
      .executeTakeFirst();
    if (row?.erasure) throw customerErased(row.erasure);
    return row && { key: row.key, id: uuidOfBytes(row.id), customer: row.customer };
  }
}
