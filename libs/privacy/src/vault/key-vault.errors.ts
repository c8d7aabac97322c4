import { HubError, isRetryable, messageOf } from '#libs/kernel';
import { isStorageFailure } from '#libs/kernel/sqlite.js';

/** What callers of a failed write see: space and devices recover, anything else is a defect or a damaged file. */
export const vaultFailure = (cause: unknown): HubError =>
  new HubError(
    isStorageFailure(cause) ? 'KEY_VAULT.UNAVAILABLE' : 'KEY_VAULT.FAILED',
    `the key vault cannot be written (${messageOf(cause)})`,
    { retryable: isStorageFailure(cause), cause },
  );

/** The same for whoever asked a store, which promises its own words for want of space. */
export const storeUnavailable = (error: unknown): unknown =>
  isRetryable(error)
    ? new HubError('EVENT_STORE.UNAVAILABLE', `${messageOf(error)}; nothing of this was stored`, {
        retryable: true,
        cause: error,
      })
    : error;

/** Why content that only the right key opens stays closed. */
export const LOST =
  'Without it no sealed content can be read: identifiers, names, subjects, texts, attachments, customer records and ' +
  'parked messages stay closed for ever. Ids, times, channels and links are not sealed.';
