import { readFileSync } from 'node:fs';
import type { ValidationError } from 'class-validator';
import type * as Yaml from 'yaml';
import { HubError, messageOf } from '#libs/kernel';
import { classTransformer, classValidator } from '#libs/kernel/late-validator.js';
import { latePackage } from '#libs/kernel/late-package.js';
import type { ChannelAccount, ChannelAdapter } from '../channel-adapter.port.js';
import { mailAddresses } from '../email/email.config.js';
import type { ChannelAdapters } from '../intake/channel-adapters.js';
import { AccountsFile, TenantDeclaration, type AccountDeclaration } from './accounts.config.js';
import { DeclaredAccountDirectory, plainAddress } from './declared.account-directory.js';

/** Adapter name of an account that integrations post to; declared here for its country alone. */
export const GENERIC_ADAPTER = 'ingest';

const loadYaml = latePackage<typeof Yaml>('yaml');

type Environment = Readonly<Record<string, string | undefined>>;

export interface AccountsContext {
  adapters: ChannelAdapters;
  env: Environment;
  /** Country of the installation. */
  defaultCountry?: string | undefined;
}

/**
 * The accounts of a file.
 * @throws HubError `SETTINGS.INVALID`: one line per wrong field, by its path, with what it should be.
 */
export const readAccountsFile = (file: string | undefined, context: AccountsContext): DeclaredAccountDirectory => {
  if (file === undefined) return new DeclaredAccountDirectory([], {}, context.defaultCountry);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HubError('SETTINGS.INVALID', `HILO_ACCOUNTS_FILE: ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
  return readAccounts(text, context, file);
};

/** The accounts of a YAML text; `source` names it in errors. @throws HubError `SETTINGS.INVALID` */
export const readAccounts = (text: string, context: AccountsContext, source = 'accounts'): DeclaredAccountDirectory => {
  const file = classTransformer().plainToInstance(AccountsFile, yamlOf(text, source), { exposeDefaultValues: true });
  const problems = messages('', validate(file));
  const tenants = tenantsOf(file, problems);
  const declared = Array.isArray(file.accounts) ? file.accounts : [];
  // A field of the wrong form has its line already; the checks below need well-formed entries.
  const accounts =
    problems.length > 0 ? [] : declared.map((one, index) => accountOf(one, `accounts[${index}]`, context, problems));
  problems.push(...clashes(accounts, context.adapters));
  if (problems.length > 0)
    throw new HubError('SETTINGS.INVALID', problems.map((line) => `${source}: ${line}`).join('\n'));
  return new DeclaredAccountDirectory(accounts, tenants, context.defaultCountry, file.smtp);
};

const yamlOf = (text: string, source: string): object => {
  const { LineCounter, parseDocument } = loadYaml();
  const lines = new LineCounter();
  // An alias may repeat a big node many times over: a small file must not unfold into gigabytes.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const wrong = document.errors.map((e) => `${source}:${lines.linePos(e.pos[0]).line}: ${e.message.split('\n', 1)[0]}`);
  if (wrong.length > 0) throw new HubError('SETTINGS.INVALID', wrong.join('\n'));
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HubError('SETTINGS.INVALID', `${source}: must be a mapping with "tenants" and "accounts"`);
  return value;
};

// A settings class without fields is unknown to the library, and still refuses every field.
const validate = (instance: object): ValidationError[] =>
  classValidator().validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });

const messages = (path: string, errors: readonly ValidationError[]): string[] =>
  errors.flatMap(({ property, constraints, children }) => {
    const here = /^\d+$/.test(property) ? `${path}[${property}]` : path === '' ? property : `${path}.${property}`;
    const texts = Object.entries(constraints ?? {}).map(([rule, text]) => {
      if (rule === 'whitelistValidation') return 'is not a known field; remove it or check its spelling';
      return text.startsWith(`${property} `) ? text.slice(property.length + 1) : text;
    });
    return [...(texts.length === 0 ? [] : [`${here}: ${texts.join('; ')}`]), ...messages(here, children ?? [])];
  });

const tenantsOf = (file: AccountsFile, problems: string[]): Record<string, TenantDeclaration> => {
  const tenants: [string, TenantDeclaration][] = [];
  for (const [id, value] of Object.entries(file.tenants ?? {})) {
    const tenant = classTransformer().plainToInstance(
      TenantDeclaration,
      typeof value === 'object' && value !== null ? value : {},
    );
    problems.push(...messages(`tenants.${id}`, validate(tenant)));
    tenants.push([id, tenant]);
  }
  return Object.fromEntries(tenants);
};

const accountOf = (
  declared: AccountDeclaration,
  path: string,
  context: AccountsContext,
  problems: string[],
): ChannelAccount => {
  const adapter = context.adapters.byName(declared.adapter);
  const secrets = [...(declared.secrets ?? [])];
  for (const [index, variable] of (declared.secretsFrom ?? []).entries()) {
    const secret = context.env[variable];
    if (secret === undefined || secret === '')
      problems.push(`${path}.secretsFrom[${index}]: ${variable} is not set; set it or remove it here`);
    else secrets.push(secret);
  }
  const account: ChannelAccount = {
    id: declared.id,
    tenant: declared.tenant,
    adapter: declared.adapter,
    name: declared.name ?? declared.id,
    secrets,
    ...(declared.defaultCountry === undefined ? {} : { defaultCountry: declared.defaultCountry }),
    settings: {},
  };
  if (!adapter) {
    if (declared.adapter !== GENERIC_ADAPTER)
      problems.push(
        `${path}.adapter: "${declared.adapter}" is not an adapter; use one of ${[...context.adapters.names(), GENERIC_ADAPTER].join(', ')}`,
      );
    return account;
  }
  if (adapter.needsSecret && secrets.length === 0 && (declared.secretsFrom ?? []).length === 0)
    problems.push(`${path}.secrets: ${adapter.name} needs at least one secret; add secrets or secretsFrom`);
  return { ...account, settings: adapterSettings(adapter, declared.settings ?? {}, `${path}.settings`, problems) };
};

const adapterSettings = (
  adapter: ChannelAdapter,
  given: object,
  path: string,
  problems: string[],
): Record<string, unknown> => {
  const settings = classTransformer().plainToInstance(adapter.settings, given, { exposeDefaultValues: true });
  problems.push(...messages(path, validate(settings)));
  return settings as Record<string, unknown>;
};

/** What two accounts must not share: an id, a mail address, a write key, a place on the timeline. */
const clashes = (accounts: readonly ChannelAccount[], adapters: ChannelAdapters): string[] => {
  const owners = new Map<string, number>();
  const problems: string[] = [];
  const claim = (index: number, kind: string, value: string, shown: string, fix: string): boolean => {
    const other = owners.get(`${kind}|${value}`);
    if (other === undefined) owners.set(`${kind}|${value}`, index);
    else problems.push(`accounts[${index}]: has the same ${shown} as accounts[${other}]; ${fix}`);
    return other === undefined;
  };
  for (const [index, account] of accounts.entries()) {
    const adapter = adapters.byName(account.adapter);
    if (!claim(index, 'id', account.id, `id "${account.id}"`, 'choose another id')) continue;
    if (adapter)
      claim(
        index,
        'name',
        `${account.tenant}|${adapter.channel}|${account.name}`,
        `tenant, channel and name "${account.name}"`,
        'give it a name of its own',
      );
    for (const address of mailAddresses(account))
      claim(index, 'address', plainAddress(address), `mail address ${address}`, 'an address belongs to one account');
    // The write key alone names the account; which key it is stays out of the message.
    if (adapter?.transport === 'tracking')
      for (const key of account.secrets) claim(index, 'key', key, 'write key', 'give each source a key of its own');
  }
  return problems;
};
