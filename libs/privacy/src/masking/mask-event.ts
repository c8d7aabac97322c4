import { maskIdentifier } from './mask-identifier.js';

const CONTACT = [
  'channel', 'account', 'revision', 'kind', 'conversation', 'direction', 'occurredAt', 'endedAt', 'receivedAt', 'anchor',
  'identities', 'agent', 'language', 'outcome',
] as const; // prettier-ignore
const LINK = ['link', 'a', 'b', 'rule', 'by', 'evidence', 'confidence'] as const;

/**
 * What of each stored event a caller without the scope `pii` is shown; everything else, and every event that is not
 * here, is left out. A reason that a person wrote may name people, so it is not here either.
 */
export const CLEAR_FIELDS: Readonly<Record<string, readonly string[]>> = {
  InteractionRecorded: CONTACT,
  InteractionCorrected: CONTACT,
  ProfileImported: ['profile', 'source', 'identities', 'consents', 'createdAt'],
  IdentitiesLinked: LINK,
  LinkProposed: [...LINK, 'reason'],
  LinkConfirmed: LINK,
  LinkRejected: LINK,
  LinkRetracted: LINK,
  TimelineViewed: ['by', 'customer', 'at', 'saw', 'reads', 'reason'],
  PersonalDataRevealed: ['by', 'customer', 'at', 'field', 'identity', 'reason'],
  ConsentRecorded: ['identity', 'purpose', 'channel', 'granted', 'until', 'statedAt', 'by'],
  PreferenceStated: ['identity', 'channel', 'purpose', 'withdrawn', 'until', 'statedAt', 'by'],
};

/** The data of a stored event without personal content, identifiers masked. The fields keep their order. */
export const maskEvent = (type: string, data: object): object => {
  const clear = new Set(Object.hasOwn(CLEAR_FIELDS, type) ? CLEAR_FIELDS[type] : []);
  return Object.fromEntries(
    Object.entries(data)
      .filter(([name]) => clear.has(name))
      .map(([name, value]: [string, unknown]) => [name, name === 'identities' ? maskIdentities(value) : value]),
  );
};

const maskIdentities = (identities: unknown): unknown[] => (Array.isArray(identities) ? identities.map(maskOne) : []);

const maskOne = (carried: unknown): object => {
  if (typeof carried !== 'object' || carried === null) return {};
  const { identity, type, value, verified, blocked } = carried as Record<string, unknown>;
  return {
    ...(typeof identity === 'string' ? { identity } : {}),
    ...(typeof type === 'string' ? { type } : {}),
    value: maskIdentifier(String(type), typeof value === 'string' ? value : ''),
    ...(verified === true ? { verified } : {}),
    ...(blocked === true ? { blocked } : {}),
  };
};
