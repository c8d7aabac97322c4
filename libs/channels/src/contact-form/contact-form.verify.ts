import type { RawDelivery } from '../channel-adapter.port.js';
import { anySecret, unverified } from '../shared/secrets.js';

/**
 * A form is public: the page it stands on, or a server's bearer secret, is all there is to check.
 * @throws HubError `CHANNEL.UNVERIFIED`
 */
export const verifyContactForm = ({ account, headers }: RawDelivery, allowedOrigins: readonly string[]): void => {
  const bearer = /^Bearer (.{1,4096})$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined && anySecret(bearer, account.secrets)) return;
  if (allowedOrigins.includes('*')) return;
  const origin = originOf(headers);
  if (origin === undefined) throw unverified(account, 'the request names no origin');
  if (!allowedOrigins.some((allowed) => allowed.toLowerCase() === origin))
    throw unverified(account, 'the origin is not allowed');
};

/** The origin of the page that posted; older browsers leave out `Origin` on form posts and send `Referer`. */
export const originOf = (headers: RawDelivery['headers']): string | undefined => {
  const named = headers.origin ?? headers.referer;
  return named === undefined || !URL.canParse(named) ? undefined : new URL(named).origin.toLowerCase();
};
