import { HubError, uuidOfBytes } from '#libs/kernel';

/** Why nothing can be said of a customer. @param erasure id of the erasure, as the read model keeps it */
export const customerErased = (erasure: Buffer): HubError => {
  const id = uuidOfBytes(erasure);
  return new HubError('CUSTOMER.ERASED', `this customer was erased; GET /v1/erasures/${id} has the certificate`, {
    facts: { erasure: id },
  });
};
