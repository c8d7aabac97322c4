import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineFacts } from './machine.js';
import { RUNS, USAGE, readOptions, type Options } from './options.js';
import { terminalTable, writeReport, type Report } from './report.js';
import { Results } from './results.js';
import { beginRound, type Round } from './round.js';
import { measureCosts } from './runs/costs.js';
import { measureExport } from './runs/export.js';
import { ingestHistory, measureIngest } from './runs/ingest.js';
import { installSeconds } from './runs/install.js';
import { measurePages, preparePages, type PageSource } from './runs/pages.js';
import { measurePosts } from './runs/posts.js';
import { measureRebuild } from './runs/rebuild.js';
import { measureStart } from './runs/start.js';
import { FULL, QUICK } from './sizes.js';
import { Workspace } from './workspace.js';

const PROJECT = resolve(fileURLToPath(new URL('../../../../', import.meta.url)));

const startedAt = performance.now();
const say = (line: string): void => {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
};

const takeRound = async (round: Round, { only }: Options, pages: PageSource | undefined): Promise<void> => {
  const { results, sizes, workspace } = round;
  const finish = beginRound(results, workspace, sizes.syncs);

  const wanted = new Set(only);
  let dataDir = wanted.has('ingest') ? await measureIngest(round) : undefined;
  const history = async (): Promise<string> => (dataDir ??= (await ingestHistory(round)).dataDir);
  if (wanted.has('start')) await measureStart(round, await history());
  if (wanted.has('rebuild')) await measureRebuild(round, await history());
  if (wanted.has('export')) await measureExport(round, await history());
  if (dataDir !== undefined) workspace.remove(dataDir);
  if (wanted.has('posts')) await measurePosts(round);
  if (pages) await measurePages(round, pages);
  if (wanted.has('costs')) await measureCosts(round);
  finish();
};

const nameOf = ({ date, machine }: Report, { quick, only }: Options): string =>
  [date, machine.node, ...(quick ? ['quick'] : []), ...(only.length < RUNS.length ? only : [])].join('-');

const bench = async (options: Options, workspace: Workspace): Promise<void> => {
  const sizes = options.quick ? QUICK : FULL;
  const machine = machineFacts();
  const results = new Results();
  const profile = options.profile === undefined ? undefined : resolve(options.profile);
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  let pages: PageSource | undefined;
  if (options.only.includes('pages')) {
    say(`writing ${sizes.entries} timeline entries`);
    pages = await preparePages({ sizes, workspace });
  }
  for (let number = 1; number <= sizes.rounds; number++) {
    say(`round ${number} of ${sizes.rounds}`);
    const round: Round = {
      number,
      sizes,
      results,
      workspace,
      say: (line) => say(`  ${line}`),
      ...(profile === undefined ? {} : { profile }),
    };
    await takeRound(round, options, pages);
  }
  if (options.withInstall) results.add('install', await installSeconds(workspace, PROJECT));
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine,
    sizes,
    workload: `${sizes.events.toLocaleString('en-US')} events, ${sizes.entries.toLocaleString('en-US')} timeline entries, medians of ${sizes.rounds} rounds.`,
    steadiness: results.steadiness(),
    outcomes: results.outcomes(),
  };
  process.stdout.write(`\n${terminalTable(report)}`);
  const file = await writeReport(join(PROJECT, 'test', 'bench', 'results'), nameOf(report, options), report);
  say(`written to ${file.slice(PROJECT.length + 1)} and .json beside it`);
};

let options: Options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exit(2);
}

const workspace = new Workspace();
process.on('exit', () => workspace.close());
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) process.on(signal, () => process.exit(code)); // prettier-ignore
try {
  await bench(options, workspace);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
