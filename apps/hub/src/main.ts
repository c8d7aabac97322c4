import { messageOf } from '#libs/kernel';
import { readSettings } from '#libs/kernel/settings.js';
import { startHub, type RunningHub } from './start-hub.js';

const fail = (error: unknown): never => {
  for (const line of messageOf(error).split('\n')) process.stderr.write(`hilo: ${line}\n`);
  process.exit(1);
};

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

let hub: RunningHub | undefined;
let stopping = false;
const stop = (code: number): void => {
  if (stopping) return;
  stopping = true;
  // Ten seconds is what a supervisor of processes usually grants.
  setTimeout(() => process.exit(code || 1), 10_000).unref();
  void (hub?.close() ?? Promise.resolve()).then(() => process.exit(code), fail);
};

process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));

try {
  hub = await startHub(readSettings(process.env), {
    onFailure: (error) => {
      process.stderr.write(`hilo: ${messageOf(error)}\n`);
      stop(1);
    },
  });
  announce(hub);
} catch (error) {
  fail(error);
}
