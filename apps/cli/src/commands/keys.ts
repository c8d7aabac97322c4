import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { ROLES, type Role } from '#libs/access/caller.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { SystemClock } from '#libs/kernel';
import { failure } from '../errors.js';
import { table } from '../format/table.js';
import { settingsFrom, type GlobalOptions } from '../open-data.js';
import { futureOption } from '../options.js';

interface CreateOptions extends GlobalOptions {
  tenant: string;
  role: Role;
  label?: string;
  expires?: string;
}

interface ListOptions extends GlobalOptions {
  tenant?: string;
  json?: true;
}

export const keysCommand = (): Command => {
  const keys = new Command('keys').description('API keys; a running hub takes them over at once');
  keys
    .command('create')
    .description('make a key and print it, the only time it can be seen')
    .requiredOption('--tenant <tenant>', 'whose data it opens')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
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

const withKeys = async <T>(options: GlobalOptions, work: (keys: SqliteApiKeys) => Promise<T>): Promise<T> => {
  const keys = SqliteApiKeys.open({ dataDir: settingsFrom(options).dataDir, clock: new SystemClock() });
  try {
    return await work(keys);
  } finally {
    await keys.close();
  }
};

const create = ({ tenant, role, label, expires, ...options }: CreateOptions): Promise<void> =>
  withKeys(options, async (keys) => {
    const made = await keys.create({
      tenant,
      role,
      ...(label !== undefined && { label }),
      ...(expires !== undefined && { expiresAt: futureOption('--expires', expires, Date.now()) }),
    });
    process.stdout.write(`${made.key}\n`);
    process.stderr.write(
      `key ${made.id}: ${role} of ${tenant}${made.expiresAt ? `, until ${made.expiresAt}` : ''}; keep it now, it is not shown again\n`,
    );
  });

/** A mistyped directory is not made just to say that it holds no keys. */
const withKnownKeys = <T>(options: GlobalOptions, work: (keys: SqliteApiKeys) => Promise<T>): Promise<T> => {
  const { dataDir } = settingsFrom(options);
  if (!existsSync(join(dataDir, 'access.db')))
    throw failure(
      `--data-dir: ${resolve(dataDir)} holds no keys; name the directory of a hub, or make one with hilo keys create`,
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
    const titles = ['id', 'tenant', 'role', 'status', 'created', 'last used', 'label'];
    process.stdout.write(
      table(
        titles.map((title) => ({ title })),
        known.map(({ id, tenant: of, role, label, createdAt, lastUsedAt, ...key }) => [
          id,
          of,
          role,
          statusOf(key, nowMs),
          createdAt.slice(0, 10),
          lastUsedAt?.slice(0, 16).replace('T', ' ') ?? 'never',
          label ?? '',
        ]),
      ),
    );
  });

const statusOf = (key: { revokedAt?: string; expiresAt?: string }, nowMs: number): string => {
  if (key.revokedAt) return `revoked ${key.revokedAt.slice(0, 10)}`;
  if (!key.expiresAt) return 'valid';
  return `${Date.parse(key.expiresAt) <= nowMs ? 'expired' : 'until'} ${key.expiresAt.slice(0, 10)}`;
};

const revoke = async (id: string, options: GlobalOptions): Promise<void> =>
  withKnownKeys(options, async (keys) => {
    const { tenant, role, revokedAt } = await keys.revoke(id);
    process.stderr.write(`key ${id} (${role} of ${tenant}) is revoked since ${revokedAt}\n`);
  });
