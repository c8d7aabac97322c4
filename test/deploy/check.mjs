// Checks the files under deploy/ by the tools that read them, without running a container: npm run check:deploy.
// test/deploy/install-tools.sh installs the tools.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { problemsOf } from './rendered-chart.mjs';

const tools = process.env.HILO_DEPLOY_TOOLS ?? join(homedir(), '.cache', 'hilo-deploy-tools');
const KUBERNETES = '1.34';
const CHART = 'deploy/helm/hilo';
const VALUES = [undefined, 'all', 'least'];

const scratch = mkdtempSync(join(tmpdir(), 'hilo-deploy-'));
let failed = 0;
const check = (what, problem) => {
  process.stdout.write(`${problem ? '✗' : '✓'} ${what}${problem ? `\n${problem}\n` : '\n'}`);
  if (problem) failed += 1;
};
/** @returns what a command printed, and why it failed */
const run = (command, ...words) => {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return { stdout: stdout ?? '', problem: status === 0 ? undefined : `${error?.message ?? ''}${stdout}${stderr}` };
};
const tool = (name, ...words) => run(join(tools, name), ...words);
const scratchFile = (name, text) => {
  const file = join(scratch, name);
  writeFileSync(file, text);
  return file;
};

// Compose: the reference implementation reads it. Its example program knows no environment: what must be set gets a value.
cpSync('deploy', scratch, { recursive: true });
const compose = readFileSync('deploy/compose.yaml', 'utf8').replaceAll(/\$\{([A-Z_]+):\?[^}]*\}/g, '${$1:-given}');
check('compose.yaml is valid', tool('compose', scratchFile('given.yaml', compose)).problem);
const misspelt = tool('compose', scratchFile('misspelt.yaml', compose.replace('mem_limit:', 'mem_limt:')));
check('… and would not be with a misspelt word', misspelt.problem ? undefined : 'it is taken all the same');

// The chart: linted, rendered with every set of values, each document held against the schemas of Kubernetes.
check('the chart passes lint', tool('helm', 'lint', '--strict', CHART).problem);
const validate = (file) => {
  const { stdout, problem } = tool('kubernetes-validate', '--strict', '-k', KUBERNETES, file);
  // What it has no schema for are kinds of others.
  const unknown = stdout.match(/Couldn't find schema for kind (?!ScaledObject|ServiceMonitor).*/);
  return problem ?? unknown?.[0];
};
for (const values of VALUES) {
  const what = `the chart with ${values ?? 'its own'} values`;
  const words = values === undefined ? [] : ['-f', join(CHART, 'ci', `${values}-values.yaml`)];
  const kubernetes = ['--kube-version', `${KUBERNETES}.0`];
  const rendered = tool('helm', 'template', 'hilo', CHART, ...kubernetes, ...words);
  check(`${what} renders`, rendered.problem);
  const file = scratchFile(`rendered-${values ?? 'default'}.yaml`, rendered.stdout);
  check(`${what} is what Kubernetes ${KUBERNETES} takes`, validate(file));
  const documents = parseAllDocuments(rendered.stdout).map((document) => document.toJS());
  check(`${what} fits together`, problemsOf(documents.filter(Boolean)).join('\n'));
  if (values === 'all') {
    const spoiled = scratchFile(
      'spoiled.yaml',
      rendered.stdout.replace('readOnlyRootFilesystem:', 'readonlyRootFilesystem:'),
    );
    check('… and would not be with a misspelt word', validate(spoiled) ? undefined : 'it is taken all the same');
    const spoil = (change) => problemsOf(documents.filter(Boolean).map((d) => change(structuredClone(d))));
    const astray = spoil((d) => (d.kind === 'Service' && (d.spec.selector['app.kubernetes.io/component'] = 'x'), d));
    check(
      '… nor fit with a service that finds no pod',
      astray.some((problem) => problem.includes('finds the pods of 0')) ? undefined : 'it passes all the same',
    );
    const strange = spoil(
      (d) => (d.kind === 'Job' && d.spec.template.spec.containers[0].env.push({ name: 'HILO_X' }), d),
    );
    check(
      '… nor with a setting that no program reads',
      strange.some((problem) => problem.includes('HILO_X')) ? undefined : 'it passes all the same',
    );
  }
}
const typo = ['--set', 'settings.HILO_BUSURL=kafka://a'];
const refused = tool('helm', 'template', 'hilo', CHART, '--kube-version', `${KUBERNETES}.0`, ...typo);
check('the chart refuses a setting that there is not', refused.problem ? undefined : 'it renders all the same');

// Prometheus: its own tool, and its own tests of the alerts.
check('prometheus.yaml is valid', run('promtool', 'check', 'config', 'deploy/prometheus/prometheus.yaml').problem);
check(
  'the alerts fire when they should',
  run('promtool', 'test', 'rules', 'deploy/prometheus/alerts.test.yaml').problem,
);

rmSync(scratch, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;
