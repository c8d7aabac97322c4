import { Command } from 'commander';
import { DataDirectory } from '#libs/event-store/data-directory.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { checkReadModelUrl } from '#libs/projections/read-model/open-read-model.js';
import { failure, interrupted, usageError } from '../errors.js';
import { grouped, table } from '../format/table.js';
import { interruptSignal } from '../interrupt.js';
import {
  checkSecrets,
  openMigrationSource,
  requireSecrets,
  settleSource,
  type MigrationSource,
} from '../migrate/migration-source.js';
import { STEPS, isSame, type Compared, type StepTools } from '../migrate/migration-steps.js';
import { claimTarget, claimVault, openMigrationTarget, type MigrationTarget } from '../migrate/migration-target.js';
import { requireData, requireUnowned, settingsFrom, type GlobalOptions } from '../open-data.js';
import { wholeOption } from '../options.js';
import { startProgress } from '../progress.js';

interface MigrateOptions extends GlobalOptions {
  from: string;
  to?: string;
  inFlight: string;
  json?: true;
}

export const migrateCommand = (): Command =>
  new Command('migrate')
    .description('move the hub of a data directory to EventStoreDB and PostgreSQL, and compare the two')
    .option('--from <url>', 'the log to copy', 'sqlite:')
    .option('--to <url>', 'esdb://… (default: HILO_EVENT_STORE_URL, where no list of processes shows its password)')
    .option(
      '--in-flight <n>',
      'appends under way at a time; above 1 streams keep their order, the whole log does not',
      '1',
    )
    .option('--json', 'one line of JSON for everything that was compared')
    .addHelpText(
      'after',
      `
Copies, in this order: the log, the key vault, parked messages, API keys, delivery counts; and folds the timelines anew.
What is sealed stays sealed. Everything but the log goes to HILO_READ_MODEL_URL (postgres://…). HILO_PEPPER and
HILO_MASTER_KEY must be what the programs will be given: the pepper and the master key of this data directory.
Stop the hub first. After Ctrl-C or a crash the same command goes on; also once the hub has run again, as long as no
program has started on the copy. No program starts on a copy that is not whole.`,
    )
    .action((_options: unknown, command: Command) => run(command.optsWithGlobals<MigrateOptions>()));

const run = async (options: MigrateOptions): Promise<void> => {
  const inFlight = wholeOption('--in-flight', options.inFlight, 1, 256);
  if (options.from !== 'sqlite:')
    throw usageError('--from', `"${options.from}" is no engine to copy from`, 'write sqlite: and name its --data-dir');
  const to = options.to ?? process.env['HILO_EVENT_STORE_URL'] ?? '';
  if (!/^esdb(\+discover)?:/.test(to))
    throw usageError('--to', to === '' ? 'is missing' : 'is no engine to copy to', 'write esdb://host:2113?…');
  const settings = settingsFrom(options, { HILO_EVENT_STORE_URL: 'sqlite:' });
  checkReadModelUrl(settings.readModelUrl);
  requireData(settings);
  requireUnowned(settings, 'what it records meanwhile would be left behind');
  requireSecrets(settings);
  const directory = DataDirectory.claim(settings.dataDir, { program: 'hilo migrate' });
  try {
    await migrate(settings, directory, to, inFlight, options.json ?? false);
  } finally {
    directory.release();
  }
};

const migrate = async (
  settings: HubSettings,
  directory: DataDirectory,
  to: string,
  inFlight: number,
  json: boolean,
): Promise<void> => {
  const fingerprints = await checkSecrets(settings);
  await settleSource(settings, directory);
  const source = await openMigrationSource(settings);
  try {
    const target = await openMigrationTarget(settings, to);
    try {
      await claimTarget(source, target);
      await claimVault(source, target);
      const compared = await takeSteps(source, target, inFlight);
      await target.state.end();
      process.stdout.write(json ? linesOf(compared) : tableOf(compared));
      refuseDiffering(compared, 'everything is copied, yet what follows from it is not what the hub had');
      process.stderr.write(
        `everything is there: start the programs with this HILO_PEPPER (fingerprint ${fingerprints.pepper}) and ` +
          `HILO_MASTER_KEY (fingerprint ${fingerprints.masterKey}), and never again the hub on ${directory.path}; delete it once ` +
          'there is no way back to it, since no erasure reaches it any more\n',
      );
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
};

const takeSteps = async (source: MigrationSource, target: MigrationTarget, inFlight: number): Promise<Compared[]> => {
  const all: Compared[] = [];
  const signal = interruptSignal();
  const tools: StepTools = { source, target, inFlight, signal, progress: () => undefined };
  for (const [index, { name, derived, run: take }] of STEPS.entries()) {
    process.stderr.write(`${index + 1} of ${STEPS.length}: ${name}\n`);
    const progress = startProgress(name);
    tools.progress = (done, total, text) => progress.update(done, total, text);
    const compared = await take(tools).finally(() => progress.stop());
    if (!compared || signal.aborted) throw interrupted(`stopped at the ${name}; the same command goes on`);
    if (!derived) refuseDiffering(compared, 'the copy differs, and no program will start on it');
    all.push(...compared);
  }
  if (tools.sameOrder === false) process.stderr.write('streams keep their order, the whole log does not\n');
  return all;
};

const refuseDiffering = (compared: readonly Compared[], what: string): void => {
  const wrong = compared.filter((one) => isSame(one) === false).map(differenceOf);
  if (wrong.length > 0) throw failure(`${what}: ${wrong.join(', ')}`);
};

const differenceOf = ({ what, hub, cluster }: Compared): string =>
  hub!.count === cluster.count
    ? `${what} (${grouped(cluster.count)} on both sides, checksum ${cluster.checksum} instead of ${hub!.checksum})`
    : `${what} (${grouped(cluster.count)} instead of ${grouped(hub!.count)})`;

const linesOf = (compared: readonly Compared[]): string =>
  compared.map((one) => `${JSON.stringify({ ...one, same: isSame(one) })}\n`).join('');

const tableOf = (compared: readonly Compared[]): string =>
  table(
    [
      { title: 'what' },
      { title: 'hub', align: 'right' },
      { title: 'cluster', align: 'right' },
      { title: 'sha256' },
      { title: '' },
    ],
    compared.map((one) => [
      one.what,
      one.hub ? grouped(one.hub.count) : '-',
      grouped(one.cluster.count),
      one.cluster.checksum.slice(0, 16),
      { true: 'same', false: 'differs', undefined: 'not compared' }[`${isSame(one)}`],
    ]),
  );
