/** What makes an identity of one type too common to say who is who. */
export interface IdentityLimit {
  /** Distinct identities seen beside it. */
  neighbours: number;
  /** Distinct accounts, loyalty numbers and profiles seen beside it. */
  holders: number;
}

/** The rules as data. Another `version` may decide otherwise; `resolve` with the same rules always decides alike. */
export interface IdentityRules {
  /** Written into every decision that a rule makes. */
  version: string;
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
}

/** The rules in force unless an installation brings its own. */
export const DEFAULT_RULES: IdentityRules = {
  version: 'rules-1',
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
};

/** What channels write where they know no caller or customer; compared in lower case. */
export const BLOCKED_WORDS: ReadonlySet<string> = new Set([
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
export const BLOCKED_NUMBERS: ReadonlySet<string> = new Set([
  '266696687',
  '7378742833',
  '2562533',
  '8656696',
  '86282452253',
]);

/** Mailboxes that no customer writes from. */
export const BLOCKED_LOCAL_PARTS: ReadonlySet<string> = new Set([
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
export const ROLE_LOCAL_PARTS: ReadonlySet<string> = new Set([
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
