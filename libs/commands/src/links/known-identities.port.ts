import type { Uuid } from '#libs/kernel';

/** Finds the identities that people name; an identity is known once the read model shows a contact or profile with it. */
export abstract class KnownIdentities {
  /**
   * @param reference id of an identity, or `type:value` in any spelling.
   * @returns undefined for what no contact of this tenant carried; another tenant's ids are of that kind.
   */
  abstract find(tenant: string, reference: string): Promise<Uuid | undefined>;
}
