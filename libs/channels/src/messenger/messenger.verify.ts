import { createHmac } from 'node:crypto';
import type { DeliveryAnswer, RawDelivery } from '../channel-adapter.port.js';
import { anySecret, sameSecret, unverified } from '../shared/secrets.js';

const hmac = (secret: string, body: Buffer | string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/**
 * Checks `X-Hub-Signature-256` over the raw bytes.
 * @throws HubError `CHANNEL.UNVERIFIED`
 */
export const verifyMeta = ({ account, headers, body }: RawDelivery): void => {
  const given = headers['x-hub-signature-256'];
  if (given === undefined) throw unverified(account, 'the delivery carries no X-Hub-Signature-256');
  // Meta signs text whose non-ASCII characters are \uXXXX escapes; a proxy that rewrites JSON may have undone them.
  const bodies = isAscii(body) ? [body] : [body, escaped(body.toString('utf8'))];
  const expected = account.secrets.flatMap((secret) => bodies.map((one) => hmac(secret, one)));
  if (!anySecret(given.toLowerCase(), expected)) throw unverified(account, 'the signature does not match');
};

const isAscii = (bytes: Buffer): boolean => bytes.every((byte) => byte < 0x80);

/** Every UTF-16 unit above 0x7F as `\uXXXX` in lower-case hex. */
const escaped = (text: string): string =>
  text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Answers the subscription handshake: the challenge as text when the verify token is ours, 403 otherwise. */
export const answerHandshake = (url: string, verifyToken: string | undefined): DeliveryAnswer => {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  const challenge = query.get('hub.challenge') ?? '';
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  const isOurs = sameSecret(query.get('hub.verify_token') ?? '', verifyToken ?? '') && verifyToken !== undefined;
  // Only what cannot be markup is echoed, whoever asks.
  if (!isOurs || query.get('hub.mode') !== 'subscribe' || !/^[A-Za-z0-9_-]{1,256}$/.test(challenge))
    return { status: 403, headers, body: 'forbidden' };
  return { status: 200, headers, body: challenge };
};
