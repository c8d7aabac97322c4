#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { codeOf } from '#libs/kernel';
import { VERSION } from '../../hub/src/version.js';
import { historyCommand } from './commands/history.js';
import { importCommand } from './commands/import.js';
import { keysCommand } from './commands/keys.js';
import { parkedCommand } from './commands/parked.js';
import { projectCommand } from './commands/project.js';
import { rebuildCommand } from './commands/rebuild.js';
import { reconcileCommand } from './commands/reconcile.js';
import { timelineCommand } from './commands/timeline.js';
import { EXIT, errorLines, exitCodeOf } from './errors.js';

const COMMANDS = [
  importCommand,
  timelineCommand,
  parkedCommand,
  reconcileCommand,
  rebuildCommand,
  historyCommand,
  projectCommand,
  keysCommand,
];

const program = (): Command => {
  const hilo = new Command('hilo')
    .description('One customer, one thread, whatever the channel: for analysts and operators')
    .version(VERSION)
    .option('--data-dir <dir>', 'directory of the hub (default: HILO_DATA_DIR or ./data)');
  for (const command of COMMANDS) hilo.addCommand(command());
  everyCommand(hilo, (command) =>
    command.exitOverride().configureOutput({
      // One line, in the form of all other errors.
      outputError: (text, write) =>
        write(
          `hilo: ${text
            .replace(/^error: /, '')
            .trim()
            .replace(/\n+/g, ' ')}; see hilo ${pathOf(command)}--help\n`,
        ),
    }),
  );
  return hilo;
};

const everyCommand = (command: Command, apply: (command: Command) => void): void => {
  apply(command);
  for (const child of command.commands) everyCommand(child, apply);
};

const pathOf = (command: Command): string =>
  command.parent === null ? '' : `${pathOf(command.parent)}${command.name()} `;

// A reader of the output that has gone is nobody's failure.
process.stdout.on('error', (error) => {
  if (codeOf(error) !== 'EPIPE') throw error;
});

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else {
    process.stderr.write(errorLines(error));
    process.exitCode = exitCodeOf(error);
  }
}
