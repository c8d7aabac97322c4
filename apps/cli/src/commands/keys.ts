import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { ROLES, type Role } from '#libs/access/caller.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { SystemClock } from '#libs/kernel';
import { masterKeyFile } from '#libs/privacy/master-key/master-key-files.js';
import { failure, interrupted } from '../errors.js';
import { grouped, table } from '../format/table.js';
import { interruptSignal } from '../interrupt.js';
import { requireData, settingsFrom, type GlobalOptions } from '../open-data.js';
import { futureOption } from '../options.js';
import { startProgress } from '../progress.js';

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
  const keys = new Command('keys').description('API keys, and the master key that all sealed content hangs on');
  keys
    .command('create')
    .description('make an API key and print it, the only time it can be seen; a running hub takes it at once')
    .requiredOption('--tenant <tenant>', 'whose data it opens')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--label <text>', 'what it is for')
    .option('--expires <when>', '90d, 12h, a day, or an instant (default: never)')
    .action((_options: unknown, command: Command) => create(command.optsWithGlobals<CreateOptions>()));
  keys
    .command('list')
    .description('all API keys, oldest first')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--json', 'one line of JSON a key')
    .action((_options: unknown, command: Command) => list(command.optsWithGlobals<ListOptions>()));
  keys
    .command('revoke')
    .description('end an API key for ever; a running hub stops taking it within 30 s')
    .argument('<id>', 'its id, as the list shows it')
    .action((id: string, _options: unknown, command: Command) => revoke(id, command.optsWithGlobals()));
  keys
    .command('rotate')
    .description('change the master key: wrap all data keys by a new one; sealed content stays as it is')
    .addHelpText(
      'after',
      `
Needs the data directory alone: stop the hub first. After Ctrl-C or a crash the same command goes on.
With master.key in the data directory a new one is made in its place. With HILO_MASTER_KEY set, put the next key into
HILO_NEXT_MASTER_KEY (openssl rand -base64 32), and into HILO_MASTER_KEY afterwards.
It does not touch API keys: those are replaced by create and revoke.`,
    )
    .action((_options: unknown, command: Command) => rotate(command.optsWithGlobals()));
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

const rotate = async (options: GlobalOptions): Promise<void> => {
  const settings = settingsFrom(options);
  requireData(settings);
  const [{ rotateMasterKey }, { DataDirectory }] = await Promise.all([
    import('#libs/privacy/rotate-master-key.js'),
    import('#libs/event-store/data-directory.js'),
  ]);
  const directory = DataDirectory.claim(settings.dataDir, { program: 'hilo keys rotate' });
  const progress = startProgress('keys rotate');
  try {
    const { ended, kept } = await rotateMasterKey(settings, {
      signal: interruptSignal(),
      report: (done, all) => progress.update(done, all, `${grouped(done)} of ${grouped(all)} keys`),
    });
    progress.stop();
    if (!ended) throw interrupted('stopped; until the same command has ended, both master keys are needed');
    process.stderr.write(
      kept === 'file'
        ? `the new master key is in ${masterKeyFile(settings.dataDir)}: keep a copy of it elsewhere\n`
        : 'the next master key is in use: set HILO_MASTER_KEY to it, unset HILO_NEXT_MASTER_KEY, remove master.key if there is one\n',
    );
  } finally {
    progress.stop();
    directory.release();
  }
};
