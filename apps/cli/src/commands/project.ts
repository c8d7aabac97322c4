import { Command } from 'commander';
import { loadProjection, projectionJson, runProjection } from '#libs/history';
import { grouped } from '../format/table.js';
import { filterFrom, withFilterOptions, type FilterOptions } from '../history-options.js';
import { interruptSignal } from '../interrupt.js';
import { openLog, settingsFrom } from '../open-data.js';
import { startProgress } from '../progress.js';
import { reportTo } from './history.js';

export const projectCommand = (): Command =>
  withFilterOptions(new Command('project'))
    .description('fold the history with a projection of your own and print its result as JSON')
    .argument('<file>', 'TypeScript or JavaScript module with initial, evolve(state, event) and maybe finish(state)')
    .action((file: string, _options: unknown, command: Command) => run(file, command.optsWithGlobals<FilterOptions>()));

const run = async (file: string, options: FilterOptions): Promise<void> => {
  const settings = settingsFrom(options);
  const filter = await filterFrom(options, settings);
  const projection = await loadProjection(file);
  const log = await openLog(settings);
  const progress = startProgress('project');
  try {
    const { result, events, position } = await runProjection(log, projection, {
      filter,
      signal: interruptSignal(),
      onProgress: reportTo(progress),
    });
    progress.stop();
    process.stdout.write(`${projectionJson(result)}\n`);
    process.stderr.write(`${grouped(events)} events through position ${position}\n`);
  } finally {
    progress.stop();
    await log.close();
  }
};
