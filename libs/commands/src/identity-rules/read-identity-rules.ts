import { readFileSync } from 'node:fs';
import type * as Yaml from 'yaml';
import { DEFAULT_RULES, type IdentityRules } from '#libs/domain';
import { HubError, messageOf } from '#libs/kernel';
import { latePackage } from '#libs/kernel/late-package.js';
import { Section, type Fields } from './section.js';

/** Types that every installation knows; an integration may register others. */
const TYPE = /^[a-z][a-z0-9._-]{0,63}$/;
const TYPE_ALLOWED = 'a type of identifiers in lower case, for example email';
const ANCHOR = /^(?:verified )?[a-z][a-z0-9._-]{0,63}$/;
const WORD_ALLOWED = 'a text of 1 to 200 characters in lower case';
const MOST_WORDS = 100_000;
const MOST_DAYS = 36_500;
const EVIDENCE = ['profile-import', 'identify', 'same-mailbox', 'same-interaction'] as const;

/**
 * The rules of a file, or the built-in ones where none is named.
 * @throws HubError `SETTINGS.INVALID`: one line per wrong field, by its path, with what is allowed.
 */
export const readIdentityRulesFile = (file: string | undefined): IdentityRules => {
  if (file === undefined) return DEFAULT_RULES;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HubError(
      'SETTINGS.INVALID',
      `HILO_IDENTITY_RULES_FILE: ${file} cannot be read: ${messageOf(cause)}; name a readable YAML file`,
      { cause },
    );
  }
  return readIdentityRules(text, file);
};

/**
 * The rules of a YAML text; `source` names it in errors. A section that is left out takes its default, one that is given
 * stands alone.
 * @throws HubError `SETTINGS.INVALID`
 */
export const readIdentityRules = (text: string, source = 'identity.rules.yaml'): IdentityRules => {
  const problems: string[] = [];
  const rules = rulesOf(new Section(valueOf(text, source), '', problems));
  if (problems.length > 0)
    throw new HubError('SETTINGS.INVALID', problems.map((problem) => `${source}: ${problem}`).join('\n'));
  return rules;
};

const loadYaml = latePackage<typeof Yaml>('yaml');

const valueOf = (text: string, source: string): unknown => {
  const { LineCounter, parseDocument } = loadYaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const wrong = document.errors.map((e) => `${source}:${lines.linePos(e.pos[0]).line}: ${e.message.split('\n', 1)[0]}`);
  if (wrong.length > 0) throw new HubError('SETTINGS.INVALID', wrong.join('\n'));
  // An alias may repeat a big node many times over: a small file must not unfold into gigabytes.
  return document.toJS({ maxAliasCount: 100 }) as unknown;
};

const rulesOf = (file: Section): IdentityRules => {
  const rules: IdentityRules = {
    version: file.text('version', /^[A-Za-z0-9._-]{1,40}$/, '1 to 40 letters, digits, ".", "_" or "-"', ''),
    anchor: file.texts('anchor', ANCHOR, `${TYPE_ALLOWED}, or "verified" and a type`, 100, DEFAULT_RULES.anchor),
    weakTypes: file.set('weakTypes', TYPE, TYPE_ALLOWED, 100, DEFAULT_RULES.weakTypes),
    blocked: file.part('blocked', DEFAULT_RULES.blocked, (blocked) => ({
      words: words(blocked, 'words'),
      numbers: blocked.set('numbers', /^\d{4,15}$/, '4 to 15 digits in quotes', MOST_WORDS, new Set()),
      mailboxes: words(blocked, 'mailboxes'),
    })),
    roleMailboxes: words(file, 'roleMailboxes', DEFAULT_RULES.roleMailboxes),
    limits: file.entries('limits', TYPE, TYPE_ALLOWED, DEFAULT_RULES.limits, (limit) => ({
      neighbours: limit.integer('neighbours', 0, 100_000),
      holders: limit.integer('holders', 0, 100_000),
    })),
    maxNames: file.integer('maxNames', 1, 100, DEFAULT_RULES.maxNames),
    holderTypes: file.set('holderTypes', TYPE, TYPE_ALLOWED, 100, DEFAULT_RULES.holderTypes),
    personalTypes: file.set('personalTypes', TYPE, TYPE_ALLOWED, 100, DEFAULT_RULES.personalTypes),
    confidence: file.part('confidence', DEFAULT_RULES.confidence, (confidence) => {
      const known = EVIDENCE.map((kind) => [kind, confidence.number(kind, 0, 1)] as const);
      return Object.fromEntries(known) as Fields<(typeof EVIDENCE)[number], number>;
    }),
    discount: file.numbers('discount', TYPE, TYPE_ALLOWED, 0, 1, DEFAULT_RULES.discount),
    sameName: file.part('sameName', DEFAULT_RULES.sameName, (rule) => ({
      identities: rule.integer('identities', 0, 100),
      confidence: rule.number('confidence', 0, 1),
    })),
    windows: file.entries('windows', TYPE, TYPE_ALLOWED, DEFAULT_RULES.windows, (window) => {
      const staleDays = window.optionalInteger('staleDays', 0, MOST_DAYS);
      return { apartDays: window.integer('apartDays', 0, MOST_DAYS), ...(staleDays !== undefined && { staleDays }) };
    }),
  };
  if (rules.limits['registered'] === undefined)
    file.problem('limits.registered', 'is missing; it holds for every type that is not listed');
  file.end();
  return rules;
};

const words = (section: Section, field: string, fallback: ReadonlySet<string> = new Set()): ReadonlySet<string> =>
  section.set(field, /^[^A-Z]{1,200}$/, WORD_ALLOWED, MOST_WORDS, fallback);
