// Runs the suites that meet real servers, and says at the end which ones they were.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(tmpdir(), 'hilo-engines-'));
const report = join(directory, 'report');
writeFileSync(report, '');
// A server that a failed test left behind must not keep the run from ending.
const jest = ['jest', '--selectProjects', 'engines', '--maxWorkers=2', '--forceExit', ...process.argv.slice(2)];
const { status } = spawnSync('npx', jest, {
  stdio: 'inherit',
  env: { ...process.env, HILO_ENGINES_REPORT: report },
});
const engines = new Set(readFileSync(report, 'utf8').split('\n').filter(Boolean));
rmSync(directory, { recursive: true });
process.stdout.write(`\nran against\n${[...engines].map((line) => `  ${line}\n`).join('') || '  nothing\n'}`);
process.exitCode = status ?? 1;
