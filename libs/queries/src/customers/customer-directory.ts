import { Injectable } from '@nestjs/common';
import { ReadModel } from '#libs/projections';
import { HubError, bytesOfUuid, isUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { Past } from '../as-of/past.js';
import { Labels } from '../shared/labels.js';
import { customerErased } from './erased.js';

/** Finds who an id names: any identity of a customer, now or before a merge. */
@Injectable()
export class CustomerDirectory {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
  ) {}

  /**
   * Key of the customer that an id resolves to; undefined for unknown ids, malformed ids and those of other tenants alike.
   * @throws HubError `CUSTOMER.ERASED`
   */
  async find(tenant: string, id: string): Promise<number | undefined> {
    const row = await this.row(tenant, id);
    if (row?.erasure) throw customerErased(row.erasure);
    return row?.customer;
  }

  private async row(tenant: string, id: string) {
    const tenantKey = await this.labels.tenant(tenant);
    if (tenantKey === undefined || !isUuid(id)) return undefined;
    const row = await this.readModel.db
      .selectFrom('identity')
      .select(['customer', 'tenant', 'erasure'])
      .where('id', '=', bytesOfUuid(id))
      .executeTakeFirst();
    return row?.tenant === tenantKey ? row : undefined;
  }

  /** @throws HubError `CUSTOMER.NOT_FOUND`, `CUSTOMER.ERASED` */
  async get(tenant: string, id: string): Promise<number> {
    const key = await this.find(tenant, id);
    if (key === undefined) throw new HubError('CUSTOMER.NOT_FOUND', 'no customer has this id');
    return key;
  }

  /**
   * Reads of the past of the customer that an id named when the log ended at `position`, in one snapshot; `read` gets the
   * keys of its identities in order, and may ask nobody but the past.
   * @throws HubError `CUSTOMER.NOT_FOUND` where the id was not known by then; `CUSTOMER.ERASED`, of whatever time
   */
  async inPast<T>(
    tenant: string,
    id: string,
    position: number,
    read: (past: Past, identities: number[]) => Promise<T>,
  ): Promise<T> {
    const tenantKey = await this.labels.tenant(tenant);
    await this.find(tenant, id);
    return this.readModel.snapshot(async (db) => {
      const past = new Past(db, position);
      const identity = await past.identity(tenantKey, id);
      if (identity === undefined) throw new HubError('CUSTOMER.NOT_FOUND', 'no customer had this id by then');
      return read(past, (await past.customersOf([identity]))[0]!);
    });
  }

  /**
   * Id of the identity that a contact belongs to, or belonged to when the log ended at `asOf`: its anchor, unless that was
   * somebody else's at the time of the contact. Undefined while the read model does not show it.
   * @param position where it was first recorded
   */
  async holderOf(position: number, asOf = Number.MAX_SAFE_INTEGER): Promise<Uuid | undefined> {
    return this.readModel.snapshot(async (db) => {
      const key = await new Past(db, asOf).holderOf(position);
      if (key === undefined) return undefined;
      const row = await db.selectFrom('identity').select('id').where('key', '=', key).executeTakeFirstOrThrow();
      return uuidOfBytes(row.id);
    });
  }

  /**
   * Ids by which the log knows a customer that an id resolves to: of its identities, and of the contacts that came from an
   * identifier while it was this customer's, which now is somebody else's.
   */
  async idsInHistory(tenant: string, id: string): Promise<Uuid[] | undefined> {
    const identities = await this.identitiesOf(tenant, id);
    if (!identities) return undefined;
    const contacts = await this.readModel.db
      .selectFrom('identity as named')
      .innerJoin('identity as era', 'era.customer', 'named.customer')
      .innerJoin('timeline', (join) =>
        join.onRef('timeline.customer', '=', 'era.customer').onRef('timeline.identity', '=', 'era.key'),
      )
      .innerJoin('entry', 'entry.position', 'timeline.position')
      .select('entry.id')
      .where('named.id', '=', bytesOfUuid(id))
      .where('era.whole', 'is not', null)
      .execute();
    return [...identities, ...contacts.map((contact) => uuidOfBytes(contact.id))];
  }

  /** Ids of all identities of the customer that an id resolves to, erased ones too: of their history, placeholders are left. */
  async identitiesOf(tenant: string, id: string): Promise<Uuid[] | undefined> {
    const row = await this.row(tenant, id);
    if (!row) return undefined;
    // Drivers hand blobs out in types that they do not all take back.
    const erasure = row.erasure && bytesOfUuid(uuidOfBytes(row.erasure));
    const rows = await this.readModel.db
      .selectFrom('identity')
      .select('id')
      .where((e) => (erasure ? e('erasure', '=', erasure) : e('customer', '=', row.customer)))
      .orderBy('key')
      .execute();
    return rows.map((identity) => uuidOfBytes(identity.id));
  }
}
