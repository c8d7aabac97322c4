import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const CLI = resolve('dist/apps/cli/src/main.js');
const HUB = resolve('dist/apps/hub/src/main.js');
const TIMEOUT_MS = 120_000;

const home = mkdtempSync(join(tmpdir(), 'hilo-cli-'));
const dataDir = join(home, 'data');
const inHome = (name: string) => join(home, name);

afterAll(() => rmSync(home, { recursive: true, force: true }));

const environment = (dir: string) => ({ PATH: process.env.PATH, HOME: home, HILO_DATA_DIR: dir, HILO_PORT: '0' });

const hiloIn = (dir: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: environment(dir),
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, stdout, stderr };
};
const hilo = (...args: string[]) => hiloIn(dataDir, ...args);

const contact = (n: number, more: object = {}) => ({
  channel: n % 3 === 0 ? 'chat' : 'email',
  account: 'hello@casalumbre.example',
  externalId: `m-${n}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2025, 0, 6, 9) + n * 60_000).toISOString(),
  receivedAt: new Date(Date.UTC(2025, 0, 6, 9) + n * 60_000 + (n % 10 === 0 ? 7_200_000 : 1000)).toISOString(),
  customer: { identifiers: [{ type: 'email', value: `Person${n % 20}@example.com` }], name: `Person ${n % 20}` },
  text: `Message ${n}`,
  ...more,
});
const ndjson = (items: readonly unknown[]) => items.map((item) => `${JSON.stringify(item)}\n`).join('');
const hundreds = (from: number, count: number) => Array.from({ length: count }, (_, i) => contact(from + i));

const outcomes = (stdout: string) =>
  Object.fromEntries(
    [...stdout.matchAll(/^(\w+) +([\d,]+)$/gm)].map(([, name, count]) => [name, Number(count!.replaceAll(',', ''))]),
  );

// What npx once made executable the next build makes anew.
it('may be run by its name after any build', () => expect(() => accessSync(CLI, constants.X_OK)).not.toThrow());

describe('hilo', () => {
  it(
    'imports plain and gzip files, counts outcomes, and keeps what it does not take',
    () => {
      writeFileSync(inHome('year.ndjson'), ndjson(hundreds(0, 300)));
      writeFileSync(
        inHome('more.ndjson.gz'),
        gzipSync(
          ndjson([contact(1), contact(2, { revision: 2, text: 'Mended' }), contact(3, { text: 'Another text' })]) +
            `not json\n\n${ndjson([contact(900, { kind: 'mesage' }), contact(901, { receivedAt: 'yesterday' }), contact(902)])}`,
        ),
      );
      const first = hilo('import', inHome('year.ndjson'), '--tenant', 'casa', '--batch', '50');
      expect(first).toMatchObject({ status: 0 });
      expect(outcomes(first.stdout)).toMatchObject({ recorded: 300, duplicate: 0, rejected: 0, all: 300 });

      const second = hilo('import', inHome('more.ndjson.gz'), '--tenant', 'casa');
      expect(second.status).toBe(1);
      expect(outcomes(second.stdout)).toMatchObject({
        recorded: 1,
        duplicate: 1,
        corrected: 1,
        parked: 1,
        rejected: 3,
        all: 7,
      });
      const rejects = readFileSync(`${inHome('more.ndjson.gz')}.rejects.ndjson`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { line: number; error: { code: string; detail: string }; input: string });
      expect(rejects.map(({ line }) => line)).toEqual([4, 6, 7]);
      expect(rejects[0]).toMatchObject({ error: { code: 'INGEST.NOT_JSON' }, input: 'not json' });
      expect(rejects[1]!.error.detail).toContain('did you mean "message"?');
      expect(rejects[2]!.error.detail).toContain('$.receivedAt');
      expect(readdirSync(dataDir).filter((name) => name.startsWith('import-'))).toEqual([]);

      const again = hilo('import', inHome('year.ndjson'), '--tenant', 'casa');
      expect(outcomes(again.stdout)).toMatchObject({ recorded: 0, duplicate: 300 });
    },
    TIMEOUT_MS,
  );

  it(
    'shows a timeline by any spelling of an identifier, late contacts marked',
    () => {
      const shown = hilo('timeline', 'email:PERSON10@Example.com', '--tenant', 'casa', '--limit', '3', '--bodies');
      expect(shown.status).toBe(0);
      expect(shown.stdout).toContain('Person 10');
      expect(shown.stdout).toContain('email  person10@example.com');
      expect(shown.stdout).toContain('15 contacts: email 10, chat 5');
      expect(shown.stdout).toMatch(/2025-01-06 13:50 {2}→ email {4}message {2}\[came late\]\n +Message 290/);
      const cursor = /--before (\S+)/.exec(shown.stderr)![1]!;
      const older = hilo('timeline', 'email:person10@example.com', '--tenant', 'casa', '--before', cursor, '--json');
      expect((JSON.parse(older.stdout) as { items: unknown[] }).items).toHaveLength(12);
      expect(hilo('timeline', 'email:nobody@example.com', '--tenant', 'casa')).toMatchObject({
        status: 1,
        stderr: 'hilo: nobody of the tenant casa is known by email:nobody@example.com\n',
      });
      // Both looks wait for the next program that writes this log.
      expect(readdirSync(join(dataDir, 'looks'))).toHaveLength(2);
      expect(hilo('timeline', 'email:person10@example.com', '--tenant', 'casa', '--reason', 'Just so')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringContaining('--reason: "Just so" is no code') as unknown,
      });
    },
    TIMEOUT_MS,
  );

  it(
    'proves that everything is accounted for, and lists, replays and discards what is parked',
    () => {
      expect(hilo('reconcile')).toMatchObject({ status: 0, stderr: expect.stringContaining('everything adds up') });
      const [parked] = hilo('parked', 'list', '--json').stdout.trim().split('\n');
      const { id } = JSON.parse(parked!) as { id: string };
      expect(hilo('parked', 'show', id).stdout).toContain('Another text');
      // The contact is recorded with other content: what did not fit then does not fit now.
      const replayed = hilo('parked', 'replay', '--all');
      expect(replayed).toMatchObject({ status: 1, stderr: expect.stringContaining(`${id} is parked again`) });
      expect(hilo('parked', 'list', '--json').stdout).toContain('"attempts":2');
      const looks = hilo('history', '--types', 'TimelineViewed').stdout.trim().split('\n');
      expect(looks.map((line) => (JSON.parse(line) as { data: object }).data)).toMatchObject(
        Array.from({ length: 2 }, () => ({ by: expect.stringMatching(/^machine:/) as unknown, saw: ['timeline'] })),
      );
      expect(hilo('parked', 'discard', id, '--reason', 'a test of ours')).toMatchObject({
        status: 0,
        stderr: `${id} is discarded\n`,
      });
      expect(hilo('parked', 'list').stdout).toBe('nothing is parked\n');
      expect(hilo('parked', 'replay', id)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('already discarded'),
      });
      expect(hilo('reconcile').status).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'writes the same history twice, folds it, and rebuilds the timelines to the same rows',
    () => {
      expect(hilo('history', '--out', inHome('history.ndjson')).status).toBe(0);
      const history = hilo('history').stdout;
      expect(history).toBe(readFileSync(inHome('history.ndjson'), 'utf8'));
      expect(hilo('history', '--types', 'InteractionCorrected').stdout.split('\n')).toHaveLength(2);
      const person = hilo(
        'history',
        '--tenant',
        'casa',
        '--customer',
        'email:person10@example.com',
        '--channels',
        'chat',
      );
      expect(person.stdout.trim().split('\n')).toHaveLength(5);
      expect(hilo('history', '--from', 'monday')).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/^hilo: --from: .+\n$/),
      });

      writeFileSync(
        inHome('count.ts'),
        `import type { HistoryEvent } from '#libs/history';
         export const initial = (): Record<string, number> => ({});
         export const evolve = (state: Record<string, number>, event: HistoryEvent) => ({ ...state, [event.type]: (state[event.type] ?? 0) + 1 });`,
      );
      const counts = JSON.parse(hilo('project', inHome('count.ts')).stdout) as Record<string, number>;
      expect(counts).toMatchObject({ InteractionRecorded: 301, InteractionCorrected: 1 });

      const rebuilt = hilo('rebuild', '--verify');
      expect(rebuilt.status).toBe(0);
      expect(rebuilt.stdout).toMatch(/^entry +301 +[0-9a-f]{16} +equal$/m);
      expect(rebuilt.stdout).not.toContain('differs');
    },
    TIMEOUT_MS,
  );

  it(
    'goes on where an import was killed, without recording anything twice',
    async () => {
      const file = inHome('long.ndjson.gz');
      writeFileSync(file, gzipSync(`${ndjson(hundreds(10_000, 3000))}broken\n${ndjson(hundreds(13_000, 3000))}`));
      const dir = join(home, 'killed');
      const args = ['import', file, '--tenant', 'casa', '--batch', '20'];
      const child = spawn(process.execPath, [CLI, ...args], { env: environment(dir), stdio: 'ignore' });
      const ended = new Promise((done) => child.once('exit', done));
      const stateOf = () => {
        const name = existsSync(dir) ? readdirSync(dir).find((one) => /^import-[0-9a-f]+\.json$/.test(one)) : undefined;
        return name && (JSON.parse(readFileSync(join(dir, name), 'utf8')) as { place: { lines: number } });
      };
      while (child.exitCode === null && ((stateOf() || undefined)?.place.lines ?? 0) < 400)
        await new Promise((wake) => setTimeout(wake, 5));
      child.kill('SIGKILL');
      await ended;
      const killedAt = (stateOf() || undefined)?.place.lines;
      expect(killedAt).toBeGreaterThanOrEqual(400);

      const resumed = hiloIn(dir, ...args);
      expect(resumed.stderr).toContain('going on with');
      const counts = outcomes(resumed.stdout);
      expect(counts).toMatchObject({ all: 6001, rejected: 1 });
      expect(counts.recorded! + counts.duplicate!).toBe(6000);
      expect(readFileSync(`${file}.rejects.ndjson`, 'utf8').trim().split('\n')).toHaveLength(1);
      expect(hiloIn(dir, 'history', '--types', 'InteractionRecorded').stdout.trim().split('\n')).toHaveLength(6000);
      expect(hiloIn(dir, 'reconcile').status).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'makes, lists, rotates and revokes API keys, by their old name too',
    () => {
      for (const name of ['api-keys', 'keys']) {
        const made = hilo(name, 'create', '--tenant', 'casa', '--role', 'integration', '--expires', '90d');
        expect(made.stdout).toMatch(/^hilo_[a-z0-9]{8}_\S{43}\n$/);
        const id = made.stdout.split('_')[1]!;
        expect(hilo(name, 'revoke', id).status).toBe(0);
        expect(hilo(name, 'list', '--tenant', 'casa').stdout).toMatch(
          new RegExp(`^${id} +casa +integration +revoked`, 'm'),
        );
        expect(hilo(name, 'create', '--tenant', 'casa', '--role', 'boss')).toMatchObject({
          status: 2,
          stderr: expect.stringMatching(/^hilo: .*--role.*integration.*\n$/),
        });
      }
      const old = hilo('api-keys', 'create', '--tenant', 'casa', '--role', 'analyst', '--scopes', 'pii');
      expect(old.stderr).toContain('analyst of casa, sees personal data');
      const id = old.stdout.split('_')[1]!;
      const rotated = hilo('api-keys', 'rotate', id, '--overlap', '7d');
      expect(rotated.stdout).toMatch(/^hilo_[a-z0-9]{8}_\S{43}\n$/);
      expect(rotated.stderr).toContain(`key ${id} works until 20`);
      const next = rotated.stdout.split('_')[1]!;
      const list = hilo('api-keys', 'list', '--tenant', 'casa').stdout;
      expect(list).toMatch(new RegExp(`^${id} +casa +analyst +pii +until 20`, 'm'));
      expect(list).toMatch(new RegExp(`^${next} +casa +analyst +pii +valid`, 'm'));
      expect(hilo('api-keys', 'rotate', id)).toMatchObject({ status: 2, stderr: expect.stringContaining(next) });
      expect(hilo('api-keys', 'create', '--tenant', 'casa', '--role', 'agent', '--scopes', 'all')).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/^hilo: --scopes: "all" is no scope; write pii or none\n$/),
      });
    },
    TIMEOUT_MS,
  );

  it(
    'works beside a running hub: imports through its API, reads its files, leaves the rest alone',
    async () => {
      const hub = spawn(process.execPath, [HUB], { env: environment(dataDir), stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        await new Promise<void>((ready, fail) => {
          hub.stdout.on('data', (chunk: Buffer) => {
            if (chunk.includes('Ctrl-C')) ready();
          });
          hub.once('exit', () => fail(new Error('the hub did not start')));
        });
        const plain = (n: number) => ({ ...contact(n), receivedAt: undefined });
        writeFileSync(inHome('late.ndjson'), ndjson([plain(2000), plain(2001), contact(2002)]));
        expect(hilo('import', inHome('late.ndjson'), '--tenant', 'casa').status).toBe(2);
        const key = hilo('keys', 'create', '--tenant', 'casa', '--role', 'integration').stdout.trim();
        const refused = hilo('import', inHome('late.ndjson'), '--tenant', 'casa', '--key', key, '--batch', '2');
        expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('line 3 carries receivedAt') });

        writeFileSync(inHome('live.ndjson'), `${ndjson([plain(2000), plain(2001), plain(2003)])}{}\n`);
        const live = hilo('import', inHome('live.ndjson'), '--tenant', 'casa', '--key', key);
        expect(live.stderr).toContain('importing through its API');
        expect(outcomes(live.stdout)).toMatchObject({ recorded: 1, duplicate: 2, rejected: 1 });
        expect(hilo('timeline', 'email:person3@example.com', '--tenant', 'casa').stdout).toContain('Message 2003');
        const reconciled = hilo('reconcile');
        expect(reconciled).toMatchObject({ status: 0, stderr: expect.stringContaining('in flight: 0') });
        for (const args of [['rebuild'], ['parked', 'replay', '--all']])
          expect(hilo(...args)).toMatchObject({
            status: 1,
            stderr: expect.stringMatching(/is in use by hub .*stop it first/),
          });
      } finally {
        const ended = new Promise((done) => hub.once('exit', done));
        hub.kill('SIGTERM');
        await ended;
      }
    },
    TIMEOUT_MS,
  );
});
