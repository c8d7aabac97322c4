import { readSettings } from '#libs/kernel/settings.js';
import { runProgram } from '../../shared/src/run-program.js';
import { startHub, type RunningHub } from './start-hub.js';

const say = (line = ''): void => void process.stdout.write(`${line}\n`);

const announce = ({ url, smtpPort, firstKeys, parts }: RunningHub): void => {
  say(`Hilo is listening on ${url}`);
  say(`API page: ${url}/docs`);
  if (smtpPort !== undefined) say(`SMTP: port ${smtpPort}`);
  const { masterKeyCreated } = parts.log;
  if (masterKeyCreated !== undefined) {
    say();
    say(
      `First start: a master key was made (${masterKeyCreated}). It opens everything that customers said and are called:`,
    );
    say('keep a copy elsewhere, apart from the backups of the data directory. Without it nothing of that can be read.');
  }
  const demo = firstKeys.keys?.demo;
  if (firstKeys.created && demo) {
    say();
    say(`First start: one API key per role for the tenant demo (kept in ${firstKeys.file})`);
    for (const [role, key] of Object.entries(demo)) say(`  ${role.padEnd(12)} ${key}`);
    say();
  } else if (firstKeys.keys) {
    say(`API keys: ${firstKeys.file}`);
  }
  say('Ctrl-C stops it.');
};

await runProgram('hilo', (onFailure) => startHub(readSettings(process.env), { onFailure }), announce);
