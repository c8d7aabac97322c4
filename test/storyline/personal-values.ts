import { normaliseIdentifier } from '#libs/domain';
import type { CustomerIdentifier } from '#libs/kernel';
import { importItem, profileItem, profiles, type StorylineRow } from './storyline.js';
import { SHORTEST_BYTES, TextSearch } from './text-search.js';

/** A contact or a profile as it was imported. */
export interface Delivered {
  tenant: string;
  externalId: string;
  item: object;
  /** As `type:value`, normalised. */
  identifiers: string[];
  /** What a profile's given and family name make. */
  fullName?: string;
}

/** Contacts and profiles of all tenants. */
export const everythingDelivered = (rows: readonly StorylineRow[]): Delivered[] => [
  ...rows.map((row) => deliveredAs(row.tenant, row.externalId, importItem(row))),
  ...profiles().map((profile) => ({
    ...deliveredAs(profile.tenant, profile.profileId, profileItem(profile)),
    fullName: `${profile.firstName} ${profile.lastName}`,
  })),
];

const deliveredAs = (tenant: string, externalId: string, item: object): Delivered => {
  const { customer, identifiers = customer?.identifiers ?? [] } = item as {
    customer?: { identifiers?: CustomerIdentifier[] };
    identifiers?: CustomerIdentifier[];
  };
  return { tenant, externalId, item, identifiers: identifiers.map(normalisedText) };
};

/** The one spelling of an identifier, as `type:value`. */
export const normalisedText = (identifier: CustomerIdentifier): string => {
  const { type, value } = normaliseIdentifier(identifier, { defaultCountry: 'US' });
  return `${type}:${value}`;
};

/** What tells nothing of a person: ids, times, codes, numbers, our own accounts and agents, and who has looked. */
const IMPERSONAL = new Set([
  'id', 'identity', 'anchor', 'conversation', 'receipt', 'profile', 'links', 'accessLog', 'type', 'source', 'channel',
  'account', 'kind', 'direction', 'language', 'agent', 'status', 'preferredChannel', 'preferredChannelSource', 'purpose',
  'generatedAt', 'createdAt', 'recordedAt', 'occurredAt', 'endedAt', 'receivedAt', 'firstContactAt', 'lastContactAt', 'statedAt',
]); // prettier-ignore

/** Every text that is not known to be impersonal, however deep. */
const textsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => (IMPERSONAL.has(name) ? [] : textsOf(field)));
};

/** A page of a file may end in the midst of a text, and JSON escapes some characters, so a text is cut into pieces. */
const piecesOf = (text: string): string[] =>
  (text.match(/[^\\"\p{Cc}]{1,64}/gu) ?? [])
    .map((piece) => piece.trim())
    .filter((piece) => Buffer.byteLength(piece) >= SHORTEST_BYTES);

/** What must be gone with somebody. */
export interface PersonalValues {
  /** Said of them alone. */
  values: string[];
  /** How many are left out: they stand in what was delivered of others, too. */
  shared: number;
}

/**
 * The values of people who are to be erased.
 * @param documents everything the hub tells about them
 * @param own what was delivered of them, in the spelling it came in
 * @param others what was delivered of everybody else
 */
export const personalValues = (
  documents: readonly object[],
  own: readonly Delivered[],
  others: readonly Delivered[],
): PersonalValues => {
  const all = new Set([...documents, ...own.map(({ item }) => item)].flatMap(textsOf).flatMap(piecesOf));
  const said = others
    .map(({ item, identifiers, fullName = '' }) => [JSON.stringify(item), ...identifiers, fullName].join(' '))
    .join('\n');
  const shared = new TextSearch(all).foundIn(Buffer.from(said));
  return { values: [...all].filter((value) => !shared.has(value)), shared: shared.size };
};
