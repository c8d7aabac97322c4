import { createHash, createHmac } from 'node:crypto';
import type { RawDelivery } from '../channel-adapter.port.js';
import { readUrlencoded, type FormFields } from '../shared/form-fields.js';
import { anySecret, sameSecret, unverified } from '../shared/secrets.js';

/**
 * Checks `X-Twilio-Signature` over the URL and all parameters that arrived.
 * @throws HubError `CHANNEL.UNVERIFIED`
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export const verifyTwilio = (delivery: RawDelivery): void => {
  const { account, body, headers, method } = delivery;
  const given = headers['x-twilio-signature'];
  if (given === undefined) throw unverified(account, 'the delivery carries no X-Twilio-Signature');
  const isForm = method === 'POST' && isUrlencoded(headers);
  if (body.length > 0 && !isForm && !hashMatches(delivery))
    throw unverified(account, 'the body is not the one that bodySHA256 names');
  const suffix = isForm ? signedParameters(readUrlencoded(body.toString('utf8'))) : '';
  const urls = signedUrls(delivery.url);
  const expected = account.secrets.flatMap((token) => urls.map((url) => twilioSignature(token, url + suffix)));
  if (!anySecret(given, expected)) throw unverified(account, 'the signature does not match');
};

/** `base64(HMAC-SHA1(authToken, text))`. */
export const twilioSignature = (authToken: string, text: string): string =>
  createHmac('sha1', authToken).update(text, 'utf8').digest('base64');

const isUrlencoded = (headers: RawDelivery['headers']): boolean =>
  /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');

const hashMatches = ({ url, body }: RawDelivery): boolean => {
  const named = /[?&]bodySHA256=([0-9a-fA-F]{64})(?:&|#|$)/.exec(url)?.[1];
  return named !== undefined && sameSecret(createHash('sha256').update(body).digest('hex'), named.toLowerCase());
};

const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Every parameter sorted by name, name and value without separators; of a repeated name the distinct values, sorted. */
export const signedParameters = (fields: FormFields): string =>
  [...fields]
    .toSorted(([a], [b]) => byteOrder(a, b))
    .map(([name, values]) =>
      [...new Set(values)]
        .toSorted(byteOrder)
        .map((value) => name + value)
        .join(''),
    )
    .join('');

/**
 * The forms of one URL that Twilio may have signed: as given, without port, with the standard port; each also with `'`
 * as `%27` (as URL parsers write it) and, last, with the query encoded anew, `%20` for a space, as older signers did.
 */
export const signedUrls = (url: string): string[] => {
  const whole = url.split('#', 1)[0]!;
  const parts = /^(https?):\/\/([^/?]*)(.*)$/i.exec(whole);
  if (!parts) return [whole];
  const [scheme, authority, rest] = [parts[1]!, parts[2]!, parts[3]!];
  const bare = authority.replace(/:\d{1,5}$/, '');
  const standard = scheme.toLowerCase() === 'https' ? '443' : '80';
  const hosts = [...new Set([authority, bare, `${bare}:${standard}`])];
  const query = rest.indexOf('?');
  const rests = new Set([rest]);
  if (query >= 0) {
    const [path, search] = [rest.slice(0, query), rest.slice(query + 1)];
    rests.add(`${path}?${search.replaceAll("'", '%27')}`);
    rests.add(`${path}?${new URLSearchParams(search).toString().replaceAll('+', '%20')}`);
  }
  return [...rests].flatMap((tail) => hosts.map((host) => `${scheme}://${host}${tail}`));
};
