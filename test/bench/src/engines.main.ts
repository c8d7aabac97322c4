import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KafkaBroker } from '../../engines/kafka/broker.js';
import { KAFKA_VERSION } from '../../engines/kafka/version.js';
import { measureHubLine } from './engines/hub-line.js';
import { measureKafka, type EngineSizes } from './engines/kafka.js';
import { measureLine, type LineSizes } from './engines/line.js';
import { measurePostgresRebuild } from './engines/postgres-rebuild.js';
import { CONTACT_BYTES } from './load/interactions.js';
import { machineFacts } from './machine.js';
import { terminalTable, writeReport } from './report.js';
import { Results } from './results.js';
import { beginRound } from './round.js';
import { Workspace } from './workspace.js';

const PROJECT = resolve(fileURLToPath(new URL('../../../../', import.meta.url)));
const FULL: EngineSizes & LineSizes = {
  messages: 200_000,
  customers: 20_000,
  rounds: 3,
  syncs: 2000,
  contacts: 100_000,
};
const QUICK: EngineSizes & LineSizes = { messages: 20_000, customers: 2000, rounds: 1, syncs: 200, contacts: 10_000 };

interface Options {
  quick: boolean;
  /** `kafka`, `rebuild`, `line` or `hub`; absent: all. */
  only?: string | undefined;
  /** Contacts on the line, where not as many as usual. */
  contacts?: string | undefined;
}

const startedAt = performance.now();
const say = (line: string): void => {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
};

const bench = async ({ quick, only, contacts }: Options, workspace: Workspace): Promise<void> => {
  const sizes = { ...(quick ? QUICK : FULL), ...(contacts !== undefined && { contacts: Number(contacts) }) };
  const machine = machineFacts();
  const results = new Results();
  const wanted = (part: string): boolean => only === undefined || only === part;
  if (wanted('kafka')) await benchKafka(sizes, workspace, results);
  if (wanted('rebuild')) await measurePostgresRebuild(sizes, results, workspace, say);
  if (wanted('line')) say(`the line: ${await measureLine(sizes, results)}`);
  if (wanted('hub')) await measureHubLine(sizes, results, workspace, say);
  const report = {
    date: new Date().toISOString().slice(0, 10),
    machine,
    sizes,
    workload: `${sizes.messages.toLocaleString('en-US')} contacts of ${CONTACT_BYTES} bytes, medians of ${sizes.rounds} rounds; rebuild and lines ${sizes.contacts.toLocaleString('en-US')} of them, the line of programs once. Apache Kafka ${KAFKA_VERSION} (KRaft, one node).`,
    steadiness: results.steadiness(),
    outcomes: results.outcomes(),
  };
  process.stdout.write(`\n${terminalTable(report)}`);
  const name = [report.date, machine.node, 'engines', ...(quick ? ['quick'] : [])].join('-');
  const file = await writeReport(join(PROJECT, 'test', 'bench', 'results'), name, report);
  say(`written to ${file.slice(PROJECT.length + 1)} and .json beside it`);
};

const benchKafka = async (sizes: EngineSizes, workspace: Workspace, results: Results): Promise<void> => {
  say('starting Kafka');
  const broker = await KafkaBroker.startOwn();
  try {
    for (let number = 1; number <= sizes.rounds; number++) {
      const finish = beginRound(results, workspace, sizes.syncs);
      say(`round ${number} of ${sizes.rounds}: ${await measureKafka(broker, sizes, results, workspace)}`);
      finish();
    }
  } finally {
    await broker.stop();
  }
};

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, contacts: { type: 'string' } },
});
const workspace = new Workspace();
process.on('exit', () => workspace.close());
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) process.on(signal, () => process.exit(code)); // prettier-ignore
try {
  await bench(values, workspace);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
