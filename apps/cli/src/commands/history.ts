import { Command } from 'commander';
import { exportHistory, exportToFile, type HistoryProgress } from '#libs/history';
import { codeOf, messageOf } from '#libs/kernel';
import { interrupted } from '../errors.js';
import { filterFrom, withFilterOptions, type FilterOptions } from '../history-options.js';
import { grouped } from '../format/table.js';
import { interruptSignal } from '../interrupt.js';
import { openLog, settingsFrom } from '../open-data.js';
import { startProgress, type Progress } from '../progress.js';

interface HistoryOptions extends FilterOptions {
  out?: string;
  force?: true;
}

export const historyCommand = (): Command =>
  withFilterOptions(new Command('history'))
    .description('write the recorded events, or a part of them, as NDJSON')
    .option('--out <file>', 'to this file, which appears when it is complete (default: standard output)')
    .option('--force', 'replace the file, or the rest of another export to it')
    .action((_options: unknown, command: Command) => run(command.optsWithGlobals<HistoryOptions>()));

/** Tells how far the reading of the log has come. */
export const reportTo =
  (progress: Progress) =>
  ({ position, head, events }: HistoryProgress): void =>
    progress.update(position, head, `${grouped(events)} events`);

const run = async (options: HistoryOptions): Promise<void> => {
  const settings = settingsFrom(options);
  const filter = await filterFrom(options, settings);
  const log = await openLog(settings);
  const signal = interruptSignal();
  const progress = startProgress('history');
  const common = { filter, signal, onProgress: reportTo(progress) };
  try {
    if (options.out === undefined) {
      const { events, position } = await exportHistory(log, process.stdout, common);
      progress.stop();
      if (process.stderr.isTTY) process.stderr.write(`${grouped(events)} events through position ${position}\n`);
      return;
    }
    const { file, events, bytes, position, resumedAfter } = await exportToFile(log, options.out, {
      ...common,
      force: options.force ?? false,
    });
    progress.stop();
    const resumed = resumedAfter === undefined ? '' : `, gone on with after position ${resumedAfter}`;
    process.stderr.write(
      `${file}: ${grouped(events)} events through position ${position}, ${grouped(bytes)} bytes${resumed}\n`,
    );
  } catch (error) {
    // Whoever read the output has seen enough, say `head`.
    if (options.out === undefined && codeOf(error) === 'EPIPE') return;
    if (codeOf(error) !== 'HISTORY.ABORTED') throw error;
    throw interrupted(`${messageOf(error)}${options.out === undefined ? '' : '; the same command goes on from there'}`);
  } finally {
    progress.stop();
    await log.close();
  }
};
