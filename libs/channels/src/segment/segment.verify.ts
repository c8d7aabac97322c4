import type { ChannelAccount, RawDelivery } from '../channel-adapter.port.js';
import { anySecret, unverified } from '../shared/secrets.js';

/**
 * The write key of a request: user of basic authentication (a form without the colon is in use too), else `writeKey`
 * in the body, where browsers put it. Undefined when there is none.
 */
export const writeKeyOf = (headers: RawDelivery['headers'], body: Buffer): string | undefined => {
  const basic = /^Basic ([A-Za-z0-9+/_=-]{1,1000})$/i.exec(headers.authorization ?? '')?.[1];
  if (basic !== undefined) return Buffer.from(basic, 'base64').toString('utf8').split(':', 1)[0];
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    if ('writeKey' in value && typeof value.writeKey === 'string') return value.writeKey;
    // Some batching clients repeat the key in each event instead.
    const first: unknown = 'batch' in value && Array.isArray(value.batch) ? value.batch[0] : undefined;
    return typeof first === 'object' && first !== null && 'writeKey' in first && typeof first.writeKey === 'string'
      ? first.writeKey
      : undefined;
  } catch {
    return undefined;
  }
};

/** Whether the request names the account's write key. @throws HubError `CHANNEL.UNVERIFIED` */
export const verifyWriteKey = ({ account, headers, body }: RawDelivery): void => {
  const key = writeKeyOf(headers, body);
  if (key === undefined || !anySecret(key, account.secrets))
    throw unverified(account, 'the write key is not one of this source');
};

/** The account that a write key names; every key is compared, whichever matches. */
export const accountOfKey = (
  key: string | undefined,
  accounts: readonly ChannelAccount[],
): ChannelAccount | undefined => {
  let found: ChannelAccount | undefined;
  for (const account of accounts) if (anySecret(key ?? '', account.secrets)) found = account;
  return key === undefined ? undefined : found;
};
