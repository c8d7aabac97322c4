import type { BusMessage } from './interaction-bus.port.js';

/** What stays in order: one conversation, else one customer at one account. Holds personal data: hash it before it leaves the process. */
export const busKeyOf = (message: BusMessage): string => {
  if (message.type === 'profile')
    return `${message.profile.tenant}|profile|${message.profile.source}|${message.profile.externalId}`;
  const i = message.interaction;
  const first = i.customer?.identifiers?.[0];
  const rest = i.threadId ?? (first ? `${first.type}:${first.value}` : i.externalId);
  return `${i.tenant}|${i.channel}|${i.account}|${rest}`;
};
