import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

describe('the README', () => {
  let dir: string;
  let hub: ChildProcess | undefined;
  afterAll(async () => {
    if (hub && hub.exitCode === null) {
      hub.kill('SIGTERM');
      await once(hub, 'exit');
    }
    rmSync(dir, { recursive: true, force: true });
  });

  it('leads through the first steps to a timeline of two channels', async () => {
    const block = /<!-- first-steps[^>]*-->\s*```bash\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))![1]!;
    dir = mkdtempSync(join(tmpdir(), 'hilo-readme-'));
    hub = spawn(process.execPath, [resolve('dist', 'apps', 'hub', 'src', 'main.js')], {
      cwd: dir,
      env: { ...process.env, HILO_PORT: '0', HILO_DATA_DIR: './data' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let url = '';
    for await (const line of createInterface({ input: hub.stdout! })) {
      url = /listening on (\S+)/.exec(line)?.[1] ?? url;
      if (line.startsWith('Ctrl-C')) break;
    }
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', block.replaceAll('http://localhost:3000', url)], {
      cwd: dir,
    });
    const [posted, page] = stdout
      .trim()
      .split(/(?<=\]\})(?=\{)/)
      .map((text) => JSON.parse(text) as Record<string, unknown[]>);
    expect(posted).toMatchObject({ results: [{ status: 'recorded' }, { status: 'recorded' }] });
    expect(page).toMatchObject({
      items: [
        { channel: 'phone', agent: 'mika' },
        { channel: 'email', subject: 'Where is my order?' },
      ],
    });
  }, 60_000);
});
