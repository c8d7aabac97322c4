import { resolve } from 'node:path';
import { Command } from 'commander';
import { compareLogs, copyLog, type CopyComparison, type CopySource } from '#libs/event-store/copy/copy-log.js';
import { carryInstallation, checkInstallation } from '#libs/event-store/copy/copied-installation.js';
import type { CopyTarget, Position } from '#libs/event-store';
import { DataDirectory } from '#libs/event-store/data-directory.js';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { PEPPER } from '#libs/event-store/installation.js';
import { fingerprintOf, pepperFile, pepperOf } from '#libs/event-store/pepper.js';
import type { SqliteEventLogReader } from '#libs/event-store/sqlite/sqlite.event-log-reader.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { failure, interrupted, usageError } from '../errors.js';
import { grouped, perSecond } from '../format/table.js';
import { interruptSignal } from '../interrupt.js';
import { openSealedFile, ownerText, settingsFrom, type GlobalOptions } from '../open-data.js';
import { wholeOption } from '../options.js';
import { startProgress } from '../progress.js';

interface MigrateOptions extends GlobalOptions {
  from: string;
  to?: string;
  inFlight: string;
}

export const migrateCommand = (): Command =>
  new Command('migrate')
    .description('copy the log of a data directory into EventStoreDB, and compare the two')
    .option('--from <url>', 'the log to copy', 'sqlite:')
    .option('--to <url>', 'esdb://… (default: HILO_EVENT_STORE_URL, where no list of processes shows its password)')
    .option(
      '--in-flight <n>',
      'appends under way at a time; above 1 streams keep their order, the whole log does not',
      '1',
    )
    .addHelpText(
      'after',
      `
Events are copied as they lie there, sealed. Run it again to go on after Ctrl-C, or to take over what a running hub has
added since: what is there already is recognised. The copy is bound to the pepper and the key vault of the data directory:
programs open it with the same pepper (HILO_PEPPER: the file "pepper" of the data directory, in base64) and the same keys
only. Parked messages, the ledger and the keys are not copied: keep the data directory.`,
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
  const target = EventStoreDbEventStore.open({ url: to });
  try {
    const source = openSealedFile(settings);
    try {
      await checkPepper(settings, source);
      await checkInstallation(source.installation, target.installation);
      const through = await copy(source, target, inFlight);
      await carryInstallation(source.installation, target.installation);
      process.stdout.write(report(await compare(source, target, through)));
      const owner = DataDirectory.owner(settings.dataDir);
      if (owner)
        process.stderr.write(`${ownerText(owner)} still writes: stop it and run this again for what it adds\n`);
    } finally {
      await source.close();
    }
  } finally {
    await target.close();
  }
};

/** The pepper that programs on the copy will be given, where it is given here. */
const checkPepper = async ({ dataDir, pepper }: HubSettings, source: SqliteEventLogReader): Promise<void> => {
  const file = resolve(pepperFile(dataDir));
  if (pepper === undefined) {
    process.stderr.write(`programs on the copy need HILO_PEPPER: what ${file} holds, in base64\n`);
    return;
  }
  if (fingerprintOf(pepperOf(pepper)) === (await source.installation.recall(PEPPER))) return;
  throw failure(
    `HILO_PEPPER: is not the pepper of this log, under which all its ids were derived; set it to what ${file} holds, in base64`,
  );
};

const copy = async (source: CopySource, target: CopyTarget, inFlight: number): Promise<Position> => {
  const startedMs = Date.now();
  const { through, sent, complete } = await withProgress('copy', (onProgress) =>
    copyLog(source, target, { inFlight, signal: interruptSignal(), onProgress }),
  );
  if (!complete) throw interrupted(`stopped at position ${grouped(through)}; the same command goes on`);
  const ms = Date.now() - startedMs;
  process.stderr.write(`${grouped(sent)} events sent; ${(ms / 1000).toFixed(1)} s, ${perSecond(sent, ms)} events/s\n`);
  return through;
};

const compare = async (source: CopySource, target: CopyTarget, through: Position): Promise<CopyComparison> => {
  const comparison = await withProgress('compare', (onProgress) =>
    compareLogs(source, target, through, { signal: interruptSignal(), onProgress }),
  );
  if (!comparison) throw interrupted('stopped; the log is copied, but not compared: the same command compares it');
  if (comparison.same) return comparison;
  const { source: from, target: to } = comparison;
  throw failure(
    from.events === to.events
      ? `the copy differs: ${grouped(from.events)} events on both sides, checksum ${to.content} instead of ${from.content}`
      : `the copy differs: ${grouped(to.events)} events instead of ${grouped(from.events)}`,
  );
};

const report = ({ source, sameOrder }: CopyComparison): string =>
  `${grouped(source.events)} events on both sides, checksum ${source.content}; ` +
  `${sameOrder ? 'the order is the same' : 'streams keep their order, the whole log does not'}\n`;

const withProgress = async <T>(
  what: string,
  work: (onProgress: (done: Position, head: Position) => void) => Promise<T>,
): Promise<T> => {
  const progress = startProgress(what);
  try {
    return await work((done, head) => progress.update(done, head, `position ${grouped(done)} of ${grouped(head)}`));
  } finally {
    progress.stop();
  }
};
