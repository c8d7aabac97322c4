import { Command } from 'commander';
import { masterKeyFile } from '#libs/privacy/master-key/master-key-files.js';
import { interrupted } from '../errors.js';
import { grouped } from '../format/table.js';
import { interruptSignal } from '../interrupt.js';
import { requireData, settingsFrom, type GlobalOptions } from '../open-data.js';
import { startProgress } from '../progress.js';
import { addApiKeys } from './api-keys.js';

/** The master key; and API keys by the name under which the first release had them: what it could do goes on working. */
export const keysCommand = (): Command => {
  const keys = addApiKeys(
    new Command('keys').description('the master key that all sealed content hangs on; API keys by their old name'),
  );
  keys
    .command('rotate')
    .description('change the master key: wrap all data keys by a new one; sealed content stays as it is')
    .addHelpText(
      'after',
      `
Needs the data directory alone: stop the hub first. After Ctrl-C or a crash the same command goes on.
With master.key in the data directory a new one is made in its place. With HILO_MASTER_KEY set, put the next key into
HILO_NEXT_MASTER_KEY (openssl rand -base64 32), and into HILO_MASTER_KEY afterwards.
It does not touch API keys: see hilo api-keys rotate.`,
    )
    .action((_options: unknown, command: Command) => rotate(command.optsWithGlobals()));
  return keys;
};

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
