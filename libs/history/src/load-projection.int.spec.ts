import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformSync } from '@swc/core';

// Jest replaces `import`, so the loader is met as it runs: this room and those it needs, built into a directory of their own.
let directory: string;
const root = process.cwd();

const build = (lib: string): void => {
  const from = join(root, 'libs', lib, 'src');
  for (const file of readdirSync(from, { encoding: 'utf8', recursive: true })) {
    if (!file.endsWith('.ts') || /\.(spec|contract|controller|module)\.ts$/.test(file)) continue;
    const to = join(directory, 'dist/libs', lib, 'src', file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(to), { recursive: true });
    const filename = join(from, file);
    writeFileSync(
      to,
      transformSync(readFileSync(filename, 'utf8'), { filename, configFile: join(root, '.swcrc'), swcrc: false }).code,
    );
  }
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hilo-projection-'));
  build('kernel');
  build('history');
  build('privacy');
  build('domain');
  writeFileSync(join(directory, 'package.json'), readFileSync(join(root, 'package.json')));
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const script = `
  const { loadProjection, runProjection } = await import('#libs/history');
  const event = { position: 1, stream: 'interaction-1', revision: 0, id: '1', type: 'T', schema: 1, tenant: 'acme', recordedAtMs: 0, data: { n: 2 } };
  const log = { head: async () => 1, readAll: async function* () { yield [event]; } };
  try {
    console.log(JSON.stringify((await runProjection(log, await loadProjection(process.argv[1]))).result));
  } catch (error) {
    console.log(error.code + ' ' + error.message);
  }
`;

const run = (name: string, files: Record<string, string>): string => {
  const folder = mkdtempSync(join(directory, 'mine-'));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const args = ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', script, join(folder, name)];
  return execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8' }).trim().replaceAll(`${folder}/`, '');
};

const evolve = 'export const evolve = (state, event) => state + event.data.n;';

describe('loading a projection', () => {
  it('strips the types of a .ts file and of the .ts files it imports', () =>
    expect(
      run('sum.ts', {
        'sum.ts': `import type { Readable } from 'node:stream';
          import { add, type Summand } from './add.ts';
          interface State { sum: number; seen?: Readable }
          export const initial: State = { sum: 1 };
          export const evolve = (state: State, event: { data: Summand }): State => ({ sum: add(state.sum, event.data) });
          export const finish = (state: State) => state.sum;`,
        'add.ts':
          'export interface Summand { n: number }\nexport const add = (sum: number, { n }: Summand): number => sum + n;',
      }),
    ).toBe('3'));

  it.each([
    ['named exports', 'mine.mjs', `export const initial = 5; ${evolve}`, '7'],
    [
      'a default export',
      'mine.mjs',
      'export default { initial: 5, evolve: (state, { data }) => state + data.n };',
      '7',
    ],
    [
      'no evolve',
      'mine.mjs',
      'export const initial = 0;',
      'HISTORY.PROJECTION_INVALID mine.mjs has no evolve; a projection exports initial, evolve(state, event) and, if it likes, finish(state)',
    ],
    [
      'no initial',
      'mine.ts',
      evolve,
      'HISTORY.PROJECTION_INVALID mine.ts has no initial; a projection exports initial, evolve(state, event) and, if it likes, finish(state)',
    ],
    [
      'another kind of file',
      'mine.json',
      '{}',
      'HISTORY.PROJECTION_INVALID mine.json is not a module; write it as one of .ts, .mts, .js, .mjs',
    ],
  ])('reads %s', (_case, name, text, answer) => expect(run(name, { [name]: text })).toBe(answer));

  it('says what is wrong with a file that does not parse, and where', () => {
    const answer = run('broken.ts', { 'broken.ts': 'export const initial: number = ;' });
    expect(answer).toMatch(/^HISTORY.PROJECTION_INVALID broken.ts is not valid TypeScript: /);
    expect(answer).toContain('export const initial: number = ;');
  });

  it('says when there is no such file', () =>
    expect(run('absent.ts', {})).toBe('HISTORY.PROJECTION_INVALID absent.ts does not exist'));
});
