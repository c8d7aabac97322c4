import { resolve } from 'node:path';
import { DEFAULT_RULES } from '#libs/domain';
import { readIdentityRules, readIdentityRulesFile } from './read-identity-rules.js';

const problemsOf = (yaml: string): string[] => {
  try {
    readIdentityRules(yaml, 'rules');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
};

describe('the rules file', () => {
  it('that is shipped says what is built in', () => {
    expect(readIdentityRulesFile(resolve('identity.rules.yaml'))).toEqual(DEFAULT_RULES);
  });

  it('may be absent, but must exist where it is named', () => {
    expect(readIdentityRulesFile(undefined)).toBe(DEFAULT_RULES);
    expect(() => readIdentityRulesFile('/nowhere/rules.yaml')).toThrow(
      'HILO_IDENTITY_RULES_FILE: /nowhere/rules.yaml cannot be read',
    );
  });

  it('replaces a section as a whole and leaves the others as they are built in', () => {
    const rules = readIdentityRules('{ version: acme-1, roleMailboxes: [till], discount: {} }');
    expect(rules).toEqual({ ...DEFAULT_RULES, version: 'acme-1', roleMailboxes: new Set(['till']), discount: {} });
  });

  it.each([
    ['{}', 'version: is missing; 1 to 40 letters, digits, ".", "_" or "-" is allowed'],
    ['- a', 'is a list; a mapping of fields is allowed'],
    ['{ version: v, maxNames: 0 }', 'maxNames: is 0; a whole number from 1 to 100 is allowed'],
    ['{ version: v, maxNames: 1.5 }', 'maxNames: is 1.5; a whole number from 1 to 100 is allowed'],
    [
      '{ version: v, limits: { phone: { neighbours: many, holders: 2 }, registered: { neighbours: 1, holders: 1 } } }',
      'limits.phone.neighbours: is "many"; a whole number from 0 to 100000 is allowed',
    ],
    [
      '{ version: v, limits: { phone: { neighbours: 1, holders: 2 } } }',
      'limits.registered: is missing; it holds for every type that is not listed',
    ],
    [
      '{ version: v, sameName: { identities: 5, confidence: 0.5, mode: x } }',
      'sameName.mode: is not a known field; one of identities, confidence is allowed',
    ],
    ['{ version: v, confidence: { identify: 1 } }', 'confidence.profile-import: is missing; a number from 0 to 1'],
    ['{ version: v, discount: { phone: 2 } }', 'discount.phone: is 2; a number from 0 to 1 is allowed'],
    ['{ version: v, discount: { Phone: 1 } }', 'discount.Phone: is not allowed; the keys here are'],
    ['{ version: v, limits: { phone: 3 } }', 'limits.phone: is 3; a mapping of fields is allowed'],
    ['{ version: v, blocked: { words: [None] } }', 'blocked.words[0]: is "None"; a text of 1 to 200 characters'],
    ['{ version: v, blocked: { numbers: [1234] } }', 'blocked.numbers[0]: is 1234; 4 to 15 digits in quotes'],
    ['{ version: v, anchor: [email, phone, email] }', 'anchor[2]: repeats "email"; an entry occurs once'],
    [
      '{ version: v, windows: { phone: { apartDays: -1 } } }',
      'windows.phone.apartDays: is -1; a whole number from 0 to 36500 is allowed',
    ],
    [
      '{ version: v, windows: { cookie: { apartDays: 1, staleDays: long } } }',
      'windows.cookie.staleDays: is "long"; a whole number from 0 to 36500 is allowed',
    ],
    ['{ version: v, anchors: [email] }', 'anchors: is not a known field; one of version, anchor, '],
  ])('that says %s is refused by path, problem and what is allowed', (yaml, expected) => {
    expect(problemsOf(yaml).join('\n')).toContain(`rules: ${expected}`);
  });

  it('shows every mistake at once, and the line of a syntax error', () => {
    expect(problemsOf('{ maxNames: x, sameName: { identities: -1, confidence: 1 }, colour: red }')).toHaveLength(4);
    expect(problemsOf('version: v\nlimits: [')[0]).toMatch(/^rules:\d+: /);
  });
});
