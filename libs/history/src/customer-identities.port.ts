import type { TenantId, Uuid } from '#libs/kernel';

/** Who belongs to a customer, asked of whoever knows the links: the read side binds it. */
export abstract class CustomerIdentities {
  /**
   * Ids of all identities of the customer that any of its ids names, now or before a merge; undefined where the
   * tenant has no such customer. May hold ids of its contacts and conversations too, whose events then belong to its history.
   */
  abstract idsInHistory(tenant: TenantId, customerId: Uuid): Promise<readonly Uuid[] | undefined>;
}
