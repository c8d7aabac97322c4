import type * as PhoneNumbers from 'libphonenumber-js/min';
import { LruMap, type CustomerIdentifier, type IdentifierType } from '#libs/kernel';
import { latePackage } from '#libs/kernel/late-package.js';
import type { EvidenceKind } from './identity.evidence.js';
import { DEFAULT_RULES, type BlockedValues, type IdentityRules } from './identity.rules.js';

export type { IdentifierType } from '#libs/kernel';

export interface NormalisedIdentifier {
  type: IdentifierType;
  /** Equal for every spelling of the same identifier; the part of the identity's id that varies. */
  value: string;
  verified: boolean;
  /** False for a value that stands for nobody; such an identifier is neither an anchor nor an identity. */
  usable: boolean;
  /** Why it is not usable, or for a phone that no numbering plan explains, why it is weak. */
  reason?: 'blocked' | 'malformed';
  /** Never links, and anchors only where nothing stronger is there. */
  weak: boolean;
}

export interface NormaliseOptions {
  /** Country of a number written without a country code, ISO 3166 alpha-2. Without it such a number stays weak. */
  defaultCountry?: string;
  /** Our own mailboxes, numbers and pages as `type:normalised value`: they are on every message and name nobody. */
  ownAddresses?: ReadonlySet<string>;
  /** @default DEFAULT_RULES */
  rules?: SpellingRules;
}

/** What of the rules says how identifiers are read. */
export type SpellingRules = Pick<IdentityRules, 'blocked' | 'roleMailboxes' | 'weakTypes'>;

/**
 * Brings an identifier to the form under which equal ones compare equal. Total: an odd value comes back unusable or
 * weak with a reason, nothing throws.
 */
export function normaliseIdentifier(
  identifier: CustomerIdentifier,
  options: NormaliseOptions = {},
): NormalisedIdentifier {
  const { rules = DEFAULT_RULES } = options;
  const type = identifier.type.trim().toLowerCase();
  const verified = identifier.verified === true;
  const raw = identifier.value.trim();
  const read = readValue(type, raw, options.defaultCountry, rules);
  const found = read.value === '' ? MALFORMED : read;
  const own = options.ownAddresses?.has(`${type}:${found.value}`) === true;
  const blocked = own || found.reason === 'blocked' || isBlocked(type, raw, found.value, rules.blocked);
  const reason = blocked ? 'blocked' : found.reason;
  return {
    type,
    value: found.value,
    verified,
    usable: !blocked && found.usable !== false,
    ...(reason && { reason }),
    weak: rules.weakTypes.has(type) || found.weak === true,
  };
}

/**
 * The identifier that an interaction belongs to, or undefined where none is usable. The answer does not depend on the
 * order of the list: among equals the lowest value wins.
 */
export function chooseAnchor(
  identifiers: readonly NormalisedIdentifier[],
  { anchor }: Pick<IdentityRules, 'anchor'> = DEFAULT_RULES,
): NormalisedIdentifier | undefined {
  let best: NormalisedIdentifier | undefined;
  for (const candidate of identifiers) {
    if (candidate.usable && (best === undefined || isStronger(candidate, best, anchor))) best = candidate;
  }
  return best;
}

/**
 * The mailbox behind a tagged address: `ana@x.example` for `ana+shop@x.example`, undefined for any other identifier.
 * Both stay identities of their own; `relate` joins them by evidence, so that an agent can part them again.
 */
export function mailboxOf(identifier: NormalisedIdentifier): NormalisedIdentifier | undefined {
  if (identifier.type !== 'email' || !identifier.usable) return undefined;
  const at = identifier.value.lastIndexOf('@');
  const local = identifier.value.slice(0, at).replace(TAG, '');
  if (local.length === at) return undefined;
  return { ...identifier, value: local + identifier.value.slice(at) };
}

/** What one contact or profile says about who is who, before values become identity ids. */
export interface Relations {
  anchor?: NormalisedIdentifier;
  /** The usable identifiers, each once and a verified one where any is, and the mailboxes behind tagged addresses. */
  identifiers: NormalisedIdentifier[];
  evidence: { a: NormalisedIdentifier; b: NormalisedIdentifier; kind: EvidenceKind }[];
}

/**
 * The identities that a contact or a profile import concerns, its anchor, and the evidence it gives: the anchor with each
 * of the others. Names and `verified` seen with the contact are facts of every identity listed, implied mailboxes too.
 *
 * @param kind `identify` for interactions of that kind, `profile-import` with the profile itself as `anchor`.
 */
export function relate(
  identifiers: readonly NormalisedIdentifier[],
  kind: EvidenceKind,
  anchor: NormalisedIdentifier | undefined = chooseAnchor(identifiers),
): Relations {
  const known = new Map<string, NormalisedIdentifier>();
  const evidence: Relations['evidence'] = [];
  const add = (one: NormalisedIdentifier): void => {
    const key = `${one.type}:${one.value}`;
    if (one.usable && (one.verified || !known.has(key))) known.set(key, one);
  };
  if (anchor !== undefined) add(anchor);
  // The system that keeps the record also gave out its account and loyalty number.
  const issued = (type: string): boolean => kind === 'profile-import' && (type === 'account' || type === 'loyalty');
  for (const one of identifiers) add(issued(one.type) ? { ...one, verified: true } : one);
  for (const one of known.values()) {
    if (anchor === undefined || anchor.weak || one.weak) continue;
    if (one.type !== anchor.type || one.value !== anchor.value) evidence.push({ a: anchor, b: one, kind });
  }
  for (const one of known.values()) {
    const mailbox = mailboxOf(one);
    if (mailbox === undefined) continue;
    add(mailbox);
    if (!one.weak) evidence.push({ a: one, b: mailbox, kind: 'same-mailbox' });
  }
  return { ...(anchor && { anchor }), identifiers: [...known.values()], evidence };
}

function isStronger(
  one: NormalisedIdentifier,
  other: NormalisedIdentifier,
  priority: IdentityRules['anchor'],
): boolean {
  if (one.weak !== other.weak) return other.weak;
  const difference = rankOf(one, priority) - rankOf(other, priority);
  if (difference !== 0) return difference < 0;
  if (one.verified !== other.verified) return one.verified;
  if (one.type !== other.type) return one.type < other.type;
  return one.value < other.value;
}

function rankOf({ type, verified }: NormalisedIdentifier, priority: IdentityRules['anchor']): number {
  for (const name of verified ? [`verified ${type}`, type, 'registered'] : [type, 'registered']) {
    const rank = priority.indexOf(name);
    if (rank !== -1) return rank;
  }
  return priority.length;
}

interface ReadValue {
  value: string;
  usable?: boolean;
  weak?: boolean;
  reason?: 'blocked' | 'malformed';
}

const MALFORMED: ReadValue = { value: '', usable: false, reason: 'malformed' };

function readValue(type: string, raw: string, defaultCountry: string | undefined, rules: SpellingRules): ReadValue {
  switch (type) {
    case 'phone':
      return readPhone(raw, defaultCountry, rules.blocked);
    case 'email':
      return readEmail(raw, rules);
    case 'account':
    case 'loyalty':
      return { value: raw.replace(/\s+/g, '').toUpperCase() };
    case 'social':
      return { value: raw.replace(/^[^:]*:/, (network) => network.toLowerCase()) };
    case 'handle':
      return { value: raw.replace(/^[@\s]+/, '').toLowerCase() };
    case 'postal':
      return {
        value: raw
          .toLowerCase()
          .replace(/[\s,.]+/g, ' ')
          .trim(),
      };
    default:
      return { value: raw };
  }
}

/** A number that any parser leaves as it is: ten digits of the North American plan behind its country code. */
const PLAIN_NANP = /^\+1[2-9]\d{9}$/;
const SCHEME = /^(?:(?:whatsapp|sips?|tel|client|sms):\s*)+/i;
const SHORTEST_OWN_NUMBER = 5;

function readPhone(raw: string, defaultCountry: string | undefined, blocked: BlockedValues): ReadValue {
  if (PLAIN_NANP.test(raw)) return plainNumber(raw, blocked);
  const bare = raw
    .replace(SCHEME, '')
    .replace(/[@;].*$/, '')
    .trim();
  if (PLAIN_NANP.test(bare)) return plainNumber(bare, blocked);
  if (isBlockedNumber(bare, blocked)) return { value: bare.toLowerCase(), reason: 'blocked' };
  const parsed = parsePhone(bare, defaultCountry);
  if (parsed !== undefined) return plainNumber(parsed, blocked);
  const digits = bare.replace(/\D+/g, '');
  if (digits.length < SHORTEST_OWN_NUMBER)
    return { value: digits || bare.toLowerCase(), usable: false, reason: 'malformed' };
  return { value: digits, weak: true, reason: 'malformed' };
}

// Its numbering plans fill a few megabytes: the projector thread never parses a number.
const phoneNumbers = latePackage<typeof PhoneNumbers>('libphonenumber-js/min');

/** A parse takes 20 µs, and a caller's number comes many times in a row: remembering it is all that keeps this fast. */
const parsedPhones = new LruMap<string, { number: string | undefined }>(2048);

function parsePhone(bare: string, defaultCountry: string | undefined): string | undefined {
  const key = `${defaultCountry ?? ''} ${bare}`;
  const known = parsedPhones.get(key);
  if (known !== undefined) return known.number;
  const number = possibleNumber(bare, defaultCountry);
  parsedPhones.set(key, { number });
  return number;
}

/** Possible rather than valid: numbering plans change faster than their tables, and 555 numbers are callers too. */
function possibleNumber(bare: string, defaultCountry: string | undefined): string | undefined {
  const { isSupportedCountry, parsePhoneNumberFromString } = phoneNumbers();
  const country = defaultCountry !== undefined && isSupportedCountry(defaultCountry) ? defaultCountry : undefined;
  const number = parsePhoneNumberFromString(bare, country);
  return number?.isPossible() ? number.number : undefined;
}

/** A rules file may name a number with its country code, however it was dialled. */
function plainNumber(value: string, { numbers }: BlockedValues): ReadValue {
  return numbers.has(value.slice(1)) ? { value, reason: 'blocked' } : { value };
}

function isBlockedNumber(bare: string, { words, numbers }: BlockedValues): boolean {
  const digits = bare.replace(/\D+/g, '');
  return words.has(bare.toLowerCase()) || numbers.has(digits) || /^1?0{4,}$/.test(digits);
}

/** What follows a plus sign before the `@`: the holder's own label for one and the same mailbox. */
const TAG = /(?<=[^+])\+.*$/;

function readEmail(raw: string, { blocked, roleMailboxes }: SpellingRules): ReadValue {
  const value = raw.replace(/^(?:mailto:\s*)+/i, '').toLowerCase();
  const at = value.lastIndexOf('@');
  if (at < 1 || at === value.length - 1 || /\s/.test(value)) return { value, usable: false, reason: 'malformed' };
  const local = value.slice(0, at).replace(TAG, '');
  if (blocked.mailboxes.has(local)) return { value, reason: 'blocked' };
  // Several people write from a role mailbox: what it sends stays together, but says nothing about who is who.
  return roleMailboxes.has(local) ? { value, weak: true } : { value };
}

function isBlocked(type: string, raw: string, value: string, { words }: BlockedValues): boolean {
  if (type === 'email' || type === 'postal') return false;
  return words.has(raw.toLowerCase()) || /^[+\-\s]*0+$/.test(value);
}
