import { classTransformer } from '#libs/kernel/late-validator.js';
import type { ChannelAccount } from '../channel-adapter.port.js';

const built = new WeakMap<object, object>();

/** An account's settings as its adapter's class, defaults filled in; they were validated when the accounts were read. */
export const settingsOf = <T extends object>(type: new () => T, account: ChannelAccount): T => {
  if (account.settings instanceof type) return account.settings;
  const known = built.get(account.settings);
  if (known instanceof type) return known;
  const settings = classTransformer().plainToInstance(type, account.settings, { exposeDefaultValues: true });
  built.set(account.settings, settings);
  return settings;
};
