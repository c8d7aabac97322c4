import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { ROLES, SCOPES, type Role, type Scope } from '#libs/access/caller.js';
import type { ApiKeyRecord, ApiKeys, CreatedApiKey } from '#libs/access';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { SystemClock } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import { failure, usageError } from '../errors.js';
import { table } from '../format/table.js';
import { isShared, settingsFrom, type GlobalOptions } from '../open-data.js';
import { futureOption, spanOption } from '../options.js';

interface CreateOptions extends GlobalOptions {
  tenant: string;
  role: Role;
  scopes?: readonly Scope[];
  label?: string;
  expires?: string;
}

interface RotateOptions extends GlobalOptions {
  overlap: string;
  expires?: string;
}

interface ListOptions extends GlobalOptions {
  tenant?: string;
  json?: true;
}

export const apiKeysCommand = (): Command => {
  const keys = addApiKeys(new Command('api-keys').description('API keys; a running hub takes them over at once'));
  keys
    .command('rotate')
    .description('make a key of the same kind and print it; the old one works on for a while')
    .argument('<id>', 'id of the old key, as the list shows it')
    .option('--overlap <span>', 'how long the old key works on: 0, 12h, 7d, at most 90d', '24h')
    .option('--expires <when>', 'end of the new key: 90d, 12h, a day, or an instant (default: never)')
    .action((id: string, _options: unknown, command: Command) => rotate(id, command.optsWithGlobals<RotateOptions>()));
  return keys;
};

/** Adds what can be done with API keys, rotating aside, to a command that stands for them. */
export const addApiKeys = (keys: Command): Command => {
  keys
    .command('create')
    .description('make a key and print it, the only time it can be seen')
    .requiredOption('--tenant <tenant>', 'whose data it opens')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .addOption(
      new Option(
        '--scopes <scopes>',
        'what it may do besides, by comma, or none (default: those of the role)',
      ).argParser(scopesOption),
    )
    .option('--label <text>', 'what it is for')
    .option('--expires <when>', '90d, 12h, a day, or an instant (default: never)')
    .action((_options: unknown, command: Command) => create(command.optsWithGlobals<CreateOptions>()));
  keys
    .command('list')
    .description('all keys, oldest first')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--json', 'one line of JSON a key')
    .action((_options: unknown, command: Command) => list(command.optsWithGlobals<ListOptions>()));
  keys
    .command('revoke')
    .description('end a key for ever; a running hub stops taking it within 30 s')
    .argument('<id>', 'its id, as the list shows it')
    .action((id: string, _options: unknown, command: Command) => revoke(id, command.optsWithGlobals()));
  return keys;
};

const scopesOption = (text: string): Scope[] => {
  if (text === 'none') return [];
  const odd = text.split(',').find((scope) => !SCOPES.some((known) => known === scope));
  if (odd !== undefined) throw usageError('--scopes', `"${odd}" is no scope`, `write ${SCOPES.join(',')} or none`);
  return SCOPES.filter((scope) => text.split(',').includes(scope));
};

const withKeys = async <T>(options: GlobalOptions, work: (keys: ApiKeys) => Promise<T>): Promise<T> => {
  const keys = await openApiKeys(settingsFrom(options));
  try {
    return await work(keys);
  } finally {
    await keys.close();
  }
};

const create = ({ tenant, role, scopes, label, expires, ...options }: CreateOptions): Promise<void> =>
  withKeys(options, async (keys) => {
    const made = await keys.create({
      tenant,
      role,
      ...(scopes !== undefined && { scopes }),
      ...(label !== undefined && { label }),
      ...(expires !== undefined && { expiresAt: futureOption('--expires', expires, Date.now()) }),
    });
    show(made);
  });

/** The key alone goes to stdout. */
const show = ({ key, id, tenant, role, scopes, expiresAt }: CreatedApiKey): void => {
  process.stdout.write(`${key}\n`);
  const kind = [`${role} of ${tenant}`, scopes.includes('pii') ? 'sees personal data' : 'personal data masked'];
  process.stderr.write(
    `key ${id}: ${[...kind, ...(expiresAt ? [`until ${expiresAt}`] : [])].join(', ')}; keep it now, it is not shown again\n`,
  );
};

/** Where the programs look for them: in the data directory, or in the database that they share. */
const openApiKeys = async (settings: HubSettings): Promise<ApiKeys> => {
  const clock = new SystemClock();
  if (!isShared(settings)) return SqliteApiKeys.open({ dataDir: settings.dataDir, clock });
  const { PostgresApiKeys } = await import('#libs/access/postgres.api-keys.js');
  return PostgresApiKeys.open({ url: settings.readModelUrl, clock });
};

/** A mistyped directory is not made just to say that it holds no keys. */
const withKnownKeys = <T>(options: GlobalOptions, work: (keys: ApiKeys) => Promise<T>): Promise<T> => {
  const settings = settingsFrom(options);
  const { dataDir } = settings;
  if (!isShared(settings) && !existsSync(join(dataDir, 'access.db')))
    throw failure(
      `--data-dir: ${resolve(dataDir)} holds no keys; name the directory of a hub, or make one with hilo api-keys create`,
    );
  return withKeys(options, work);
};

const list = async ({ tenant, json, ...options }: ListOptions): Promise<void> =>
  withKnownKeys(options, async (keys) => {
    const known = await keys.list(tenant);
    if (json) {
      process.stdout.write(known.map((key) => `${JSON.stringify(key)}\n`).join(''));
      return;
    }
    const nowMs = Date.now();
    const titles = ['id', 'tenant', 'role', 'scopes', 'status', 'created', 'last used', 'label'];
    process.stdout.write(
      table(
        titles.map((title) => ({ title })),
        known.map(({ id, tenant: of, role, scopes, label, createdAt, lastUsedAt, ...key }) => [
          id,
          of,
          role,
          scopes.join(','),
          statusOf(key, nowMs),
          createdAt.slice(0, 10),
          lastUsedAt?.slice(0, 16).replace('T', ' ') ?? 'never',
          label ?? '',
        ]),
      ),
    );
  });

const statusOf = (key: Pick<ApiKeyRecord, 'revokedAt' | 'expiresAt'>, nowMs: number): string => {
  if (key.revokedAt) return `revoked ${key.revokedAt.slice(0, 10)}`;
  if (!key.expiresAt) return 'valid';
  return `${Date.parse(key.expiresAt) <= nowMs ? 'expired' : 'until'} ${key.expiresAt.slice(0, 10)}`;
};

const rotate = async (id: string, { overlap, expires, ...options }: RotateOptions): Promise<void> =>
  withKnownKeys(options, async (keys) => {
    const nowMs = Date.now();
    const overlapMs = spanOption('--overlap', overlap);
    const made = await keys.rotate(id, {
      overlapMs,
      ...(expires !== undefined && { expiresAt: futureOption('--expires', expires, nowMs) }),
    });
    show(made);
    const old = (await keys.list()).find((key) => key.id === id);
    process.stderr.write(`key ${id} works until ${old?.expiresAt}\n`);
  });

const revoke = async (id: string, options: GlobalOptions): Promise<void> =>
  withKnownKeys(options, async (keys) => {
    const { tenant, role, revokedAt } = await keys.revoke(id);
    process.stderr.write(`key ${id} (${role} of ${tenant}) is revoked since ${revokedAt}\n`);
  });
