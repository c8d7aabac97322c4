#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { codeOf } from '#libs/kernel';
import { VERSION } from '../../shared/src/version.js';
import { EXIT, errorLines, exitCodeOf } from './errors.js';

// In the order of the help.
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  import: async () => (await import('./commands/import.js')).importCommand(),
  timeline: async () => (await import('./commands/timeline.js')).timelineCommand(),
  parked: async () => (await import('./commands/parked.js')).parkedCommand(),
  reconcile: async () => (await import('./commands/reconcile.js')).reconcileCommand(),
  rebuild: async () => (await import('./commands/rebuild.js')).rebuildCommand(),
  migrate: async () => (await import('./commands/migrate.js')).migrateCommand(),
  history: async () => (await import('./commands/history.js')).historyCommand(),
  topics: async () => (await import('./commands/topics.js')).topicsCommand(),
  schema: async () => (await import('./commands/schema.js')).schemaCommand(),
  project: async () => (await import('./commands/project.js')).projectCommand(),
  'api-keys': async () => (await import('./commands/api-keys.js')).apiKeysCommand(),
  keys: async () => (await import('./commands/keys.js')).keysCommand(),
};

const program = async (words: readonly string[]): Promise<Command> => {
  const hilo = new Command('hilo')
    .description('One customer, one thread, whatever the channel: for analysts and operators')
    .version(VERSION)
    .option('--data-dir <dir>', 'directory of the hub (default: HILO_DATA_DIR or ./data)');
  // Half of a second is the loading of rooms that most commands do not need: only those that may be meant are loaded.
  const meant = Object.keys(COMMANDS).filter((name) => words.includes(name));
  const wanted = meant.length > 0 && !words.includes('help') ? meant : Object.keys(COMMANDS);
  for (const name of wanted) hilo.addCommand(await COMMANDS[name]!());
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
  const hilo = await program(process.argv.slice(2));
  await hilo.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else {
    process.stderr.write(errorLines(error));
    process.exitCode = exitCodeOf(error);
  }
}
