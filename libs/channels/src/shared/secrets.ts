import { createHash, timingSafeEqual } from 'node:crypto';
import { HubError } from '#libs/kernel';
import type { ChannelAccount } from '../channel-adapter.port.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Equality in a time that tells neither the length nor the first difference. */
export const sameSecret = (given: string, expected: string): boolean =>
  timingSafeEqual(digest(given), digest(expected));

/** Whether any of the expected texts was given; looks at all of them whatever it finds. */
export const anySecret = (given: string, expected: Iterable<string>): boolean => {
  let found = false;
  for (const one of expected) found = sameSecret(given, one) || found;
  return found;
};

/** The one refusal of every adapter. It names the account, never what was given or expected. */
export const unverified = (account: ChannelAccount, why: string): HubError =>
  new HubError('CHANNEL.UNVERIFIED', `${account.adapter} account ${account.id}: ${why}`, {
    facts: { account: account.id, adapter: account.adapter },
  });
