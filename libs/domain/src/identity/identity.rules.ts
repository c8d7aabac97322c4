import { hash } from 'node:crypto';

/** What makes an identity of one type too common to say who is who. */
export interface IdentityLimit {
  /** Distinct identities seen beside it. */
  neighbours: number;
  /** Distinct accounts, loyalty numbers and profiles seen beside it. */
  holders: number;
}

/** Values that stand for nobody. */
export interface BlockedValues {
  /** Whole values of any type but email and postal, in lower case. */
  words: ReadonlySet<string>;
  /** Digits of phone numbers. */
  numbers: ReadonlySet<string>;
  /** Local parts of mailboxes that no customer writes from, in lower case. */
  mailboxes: ReadonlySet<string>;
}

/** What the rules do about two customers whose contacts bear one full name. A name never links by itself. */
export interface SameNameRule {
  /** A name seen with more identities than this is common and proposes nothing; 0 switches the proposals off. */
  identities: number;
  /** Confidence of the proposal, 0 to 1. */
  confidence: number;
}

/** For how long a sighting of an identifier that passes from hand to hand tells who holds it. */
export interface TimeWindow {
  /** Two people whose use of it lies more days apart than this had it one after the other. */
  apartDays: number;
  /** Contacts of its own further than this from everybody it was seen with are nobody's. Unset: however far. */
  staleDays?: number;
}

/** The rules as data. Another `version` may decide otherwise; `resolve` with the same rules always decides alike. */
export interface IdentityRules {
  /** Written into every decision that a rule makes, by `versionOf`. */
  version: string;
  /** Which identifier a contact belongs to, strongest first: types, `verified email`, `registered` for all others. */
  anchor: readonly string[];
  /** Types that many people share or that anyone can take: they are kept for finding, never for linking. */
  weakTypes: ReadonlySet<string>;
  blocked: BlockedValues;
  /** Local parts of mailboxes that belong to a desk, not to a person: their mail stays together and links nobody. */
  roleMailboxes: ReadonlySet<string>;
  /** Per identity type; `registered` for types that are not listed. */
  limits: Readonly<Record<string, IdentityLimit>>;
  /** More distinct names than this beside one identity tell nothing any more, 1 to 100. */
  maxNames: number;
  /** Types that stand for one person by themselves: their names decide whether an identity beside them is shared. */
  holderTypes: ReadonlySet<string>;
  /** Types for which two different names seen with the identity itself mean that two people use it. */
  personalTypes: ReadonlySet<string>;
  /** Confidence of a link by its evidence, 0 to 1; also the order in which links are tried. */
  confidence: Readonly<Record<'profile-import' | 'identify' | 'same-mailbox' | 'same-interaction', number>>;
  /** Factor on the confidence of a link that touches one of these types. */
  discount: Readonly<Record<string, number>>;
  sameName: SameNameRule;
  /** Per identity type; the sightings of other types speak for all time. */
  windows: Readonly<Record<string, TimeWindow>>;
}

/** What channels write where they know no caller or customer; compared in lower case. */
const BLOCKED_WORDS: ReadonlySet<string> = new Set([
  'anonymous',
  'restricted',
  'unknown',
  'unavailable',
  'private',
  'withheld',
  'blocked',
  'none',
  'null',
  'undefined',
  'n/a',
  'na',
  'guest',
  'asterisk',
]);

/**
 * The same words spelled on a keypad, as Twilio writes a withheld caller id in digits.
 * https://twilio.com/changelog/upcoming-changes-to-withheld-caller-ids-behavior-for-dial-calls
 */
const BLOCKED_NUMBERS: ReadonlySet<string> = new Set(['266696687', '7378742833', '2562533', '8656696', '86282452253']);

/** Mailboxes that no customer writes from. */
const BLOCKED_LOCAL_PARTS: ReadonlySet<string> = new Set([
  'mailer-daemon',
  'postmaster',
  'no-reply',
  'noreply',
  'donotreply',
  'do-not-reply',
  'bounce',
  'bounces',
  'abuse',
]);

/** Mailboxes that belong to a desk, not to a person. */
const ROLE_LOCAL_PARTS: ReadonlySet<string> = new Set([
  'office',
  'info',
  'sales',
  'support',
  'service',
  'contact',
  'hello',
  'admin',
  'team',
  'billing',
  'accounts',
  'accounting',
  'orders',
  'help',
  'helpdesk',
  'hr',
  'reception',
  'frontdesk',
  'marketing',
  'press',
  'jobs',
  'enquiries',
  'inquiries',
  'mail',
  'webmaster',
]);

/** The rules in force unless an installation brings its own; `identity.rules.yaml` at the root says the same. */
export const DEFAULT_RULES: IdentityRules = {
  version: 'rules-2',
  anchor: [
    'account',
    'loyalty',
    'verified email',
    'verified phone',
    'email',
    'phone',
    'social',
    'card',
    'cookie',
    'registered',
    'handle',
    'postal',
  ],
  weakTypes: new Set(['handle', 'postal']),
  blocked: { words: BLOCKED_WORDS, numbers: BLOCKED_NUMBERS, mailboxes: BLOCKED_LOCAL_PARTS },
  roleMailboxes: ROLE_LOCAL_PARTS,
  limits: {
    profile: { neighbours: 50, holders: 10 },
    account: { neighbours: 100, holders: 10 },
    loyalty: { neighbours: 100, holders: 10 },
    email: { neighbours: 50, holders: 8 },
    phone: { neighbours: 50, holders: 8 },
    social: { neighbours: 50, holders: 8 },
    card: { neighbours: 25, holders: 6 },
    cookie: { neighbours: 25, holders: 6 },
    registered: { neighbours: 25, holders: 6 },
  },
  maxNames: 16,
  holderTypes: new Set(['profile', 'account', 'loyalty']),
  personalTypes: new Set(['email', 'phone', 'social', 'card', 'cookie']),
  confidence: { 'profile-import': 0.98, identify: 0.95, 'same-mailbox': 0.95, 'same-interaction': 0.9 },
  discount: { phone: 0.97, card: 0.95, cookie: 0.9 },
  sameName: { identities: 12, confidence: 0.5 },
  windows: { phone: { apartDays: 45 }, cookie: { apartDays: 7, staleDays: 395 } },
};

/**
 * What stands on every decision of a rule: the stated version and a digest of all that the rules say, so that changed rules
 * decide everything again even where somebody forgot to rename them.
 */
export const versionOf = (rules: IdentityRules): string =>
  `${rules.version}+${hash('sha256', textOf(rules)).slice(0, 8)}`;

/** Equal for equal rules, in whatever order they list what has no order. */
const textOf = (rules: IdentityRules): string =>
  JSON.stringify(rules, (_key, value: unknown) => {
    if (value instanceof Set) return ([...value] as string[]).toSorted();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
