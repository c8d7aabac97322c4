import { messageOf } from '#libs/kernel';
import { channelAdapters } from '../channels.module.js';
import { readAccounts, readAccountsFile } from './read-accounts.js';

const adapters = channelAdapters();
const read = (yaml: string, env: Record<string, string> = {}) =>
  readAccounts(yaml, { adapters, env, defaultCountry: 'DE' }, 'accounts.yaml');
const problemsOf = (yaml: string): string[] => {
  try {
    read(yaml);
    return [];
  } catch (error) {
    return messageOf(error).split('\n');
  }
};

const bot = 'id: bot, tenant: acme, adapter: telegram, secrets: [one]';

describe('the accounts file', () => {
  it('declares accounts with the defaults of their adapter', () => {
    const directory = read(`
      tenants: { acme: { defaultCountry: US } }
      accounts:
        - { id: care, tenant: acme, adapter: email, name: Care@acme.example }
        - { id: queue, tenant: acme, adapter: asterisk-queue-log, defaultCountry: MX }
        - { id: page, tenant: other, adapter: messenger, secretsFrom: [PAGE_SECRET], settings: { verifyToken: long-enough } }`, { PAGE_SECRET: 's3' }); // prettier-ignore
    expect(directory.all().map((a) => [a.id, a.name])).toEqual([
      ['care', 'Care@acme.example'],
      ['queue', 'queue'],
      ['page', 'page'],
    ]);
    expect(directory.byId('queue')?.settings).toMatchObject({ pollMs: 1000, maxOpenHours: 24 });
    expect(directory.byId('page')?.secrets).toEqual(['s3']);
    expect(directory.byId('nobody')).toBeUndefined();
    expect(directory.smtp.maxMessageBytes).toBe(25 * 1024 * 1024);
  });

  it('finds a mail account whatever the case and the plus-tag', () => {
    const directory = read(
      'accounts: [{ id: care, tenant: acme, adapter: email, settings: { addresses: [care@acme.example, help@acme.example] } }]',
    );
    expect(directory.byAddress('CARE+c-77@Acme.Example')?.id).toBe('care');
    expect(directory.byAddress('help@acme.example')?.id).toBe('care');
    expect(directory.byAddress('sales@acme.example')).toBeUndefined();
    expect(directory.byAddress('postmaster')).toBeUndefined();
  });

  it('takes the country of the account, else of the tenant, else of the installation', () => {
    const directory = read(`
      tenants: { acme: { defaultCountry: US } }
      accounts: [{ id: mx, tenant: acme, adapter: ingest, name: line-mx, defaultCountry: MX }]`);
    expect(directory.countryOf('acme', 'line-mx')).toBe('MX');
    expect(directory.countryOf('acme', 'another')).toBe('US');
    expect(directory.countryOf('constructor', 'line-mx')).toBe('DE');
  });

  it.each([
    [
      `accounts: [{ ${bot} }, { ${bot.replace('one', 'two')} }]`,
      'accounts[1]: has the same id "bot" as accounts[0]; choose another id',
    ],
    [
      'accounts: [{ id: a, tenant: t, adapter: telegrm }]',
      'accounts[0].adapter: "telegrm" is not an adapter; use one of asterisk-queue-log, contact-form, email, messenger, segment, telegram, twilio-voice, ingest',
    ],
    [
      'accounts: [{ id: a, tenant: t, adapter: telegram }]',
      'accounts[0].secrets: telegram needs at least one secret; add secrets or secretsFrom',
    ],
    [
      'accounts: [{ id: a, tenant: t, adapter: telegram, secretsFrom: [NOT_SET] }]',
      'accounts[0].secretsFrom[0]: NOT_SET is not set; set it or remove it here',
    ],
    [
      `accounts: [{ ${bot}, settings: { color: red } }]`,
      'accounts[0].settings.color: is not a known field; remove it or check its spelling',
    ],
    [
      'accounts: [{ id: a b, tenant: t, adapter: email }]',
      'accounts[0].id: must be 1 to 64 letters, digits, "-", "_" or "."',
    ],
    [
      'accounts: [{ id: q, tenant: t, adapter: asterisk-queue-log, settings: { pollMs: 1 } }]',
      'accounts[0].settings.pollMs: must not be less than 50',
    ],
    ['accounts: [{ id: f, tenant: t, adapter: contact-form }]', 'accounts[0].settings.allowedOrigins: '],
    [
      'accounts: [{ id: a, tenant: t, adapter: email, name: x@y.example }, { id: b, tenant: t2, adapter: email, name: X+1@y.example }]',
      'accounts[1]: has the same mail address X+1@y.example as accounts[0]',
    ],
    [
      'accounts: [{ id: a, tenant: t, adapter: segment, secrets: [key] }, { id: b, tenant: t, adapter: segment, secrets: [key] }]',
      'accounts[1]: has the same write key as accounts[0]',
    ],
    ['tenants: { acme: { defaultCountry: usa } }', 'tenants.acme.defaultCountry: must be two capital letters'],
    ['tenant: {}', 'tenant: is not a known field'],
    ['smtp: { maxMessageBytes: 5 }', 'smtp.maxMessageBytes: must not be less than 65536'],
    ['- a', 'must be a mapping with "tenants" and "accounts"'],
  ])('refuses %s', (yaml, expected) => {
    expect(problemsOf(yaml).map((line) => line.replace('accounts.yaml: ', ''))).toEqual([
      expect.stringContaining(expected),
    ]);
  });

  it('names every wrong field at once, and the line of a syntax error', () => {
    expect(
      problemsOf('accounts: [{ id: "?", tenant: 5 }, { id: "!", tenant: t, adapter: email }]').length,
    ).toBeGreaterThanOrEqual(4);
    expect(problemsOf('accounts:\n  - id: [')[0]).toMatch(/^accounts\.yaml:\d+: /);
  });

  it('never prints a secret', () => {
    const text = problemsOf(
      'accounts: [{ id: "?", tenant: t, adapter: telegram, secrets: ["", hunter2] }, { id: s, tenant: t, adapter: segment, secrets: [hunter2] }, { id: s, tenant: t, adapter: segment, secrets: [hunter2] }]',
    ).join('\n');
    expect(text).not.toContain('hunter2');
  });

  it('is optional, but must exist where it is named', () => {
    expect(readAccountsFile(undefined, { adapters, env: {} }).all()).toEqual([]);
    expect(() => readAccountsFile('/nowhere/accounts.yaml', { adapters, env: {} })).toThrow(
      'HILO_ACCOUNTS_FILE: /nowhere/accounts.yaml cannot be read',
    );
  });
});
