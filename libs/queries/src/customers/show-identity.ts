import type { Selectable } from 'kysely';
import type { IdentityTable } from '#libs/projections';
import { toInstant, uuidOfBytes } from '#libs/kernel';
import type { CustomerIdentityDto } from './customer.dto.js';

/** What of an identity's row is shown. */
export type ShownIdentity = Pick<
  Selectable<IdentityTable>,
  'id' | 'type' | 'value' | 'verified' | 'heldFrom' | 'heldUntil'
>;

export const showIdentity = (row: ShownIdentity): CustomerIdentityDto => ({
  id: uuidOfBytes(row.id),
  type: row.type,
  value: row.value,
  verified: row.verified === 1,
  ...(row.heldFrom === null ? {} : { heldFrom: toInstant(Number(row.heldFrom)) }),
  ...(row.heldUntil === null ? {} : { heldUntil: toInstant(Number(row.heldUntil)) }),
});
