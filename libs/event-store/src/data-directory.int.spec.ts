import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectory } from './data-directory.js';

const root = mkdtempSync(join(tmpdir(), 'hilo-data-'));
afterAll(() => rmSync(root, { recursive: true }));
let next = 0;
const newDir = (): string => join(root, String(next++));

describe('DataDirectory', () => {
  it('creates the directory for its owner alone, and tells who that is', () => {
    const dir = newDir();
    expect(DataDirectory.owner(dir)).toBeUndefined();
    const claim = DataDirectory.claim(dir, { program: 'hub' });
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(DataDirectory.owner(dir)).toMatchObject({ pid: process.pid, program: 'hub' });
    claim.setUrl('http://127.0.0.1:3000');
    expect(DataDirectory.owner(dir)).toMatchObject({ program: 'hub', url: 'http://127.0.0.1:3000' });
    claim.release();
    claim.release();
    expect(DataDirectory.owner(dir)).toBeUndefined();
  });

  it('refuses a second owner, naming the first and what to do', () => {
    const dir = newDir();
    const first = DataDirectory.claim(dir, { program: 'hub' });
    let refusal: unknown;
    try {
      DataDirectory.claim(dir, { program: 'import' });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'DATA_DIRECTORY.OWNED', facts: { pid: process.pid, program: 'hub' } });
    expect(String(refusal)).toContain(`${dir} is in use by hub (process ${process.pid}`);
    expect(String(refusal)).toContain('HILO_DATA_DIR');
    expect(DataDirectory.owner(dir)).toMatchObject({ program: 'hub' });
    first.release();
    DataDirectory.claim(dir, { program: 'import' }).release();
  });

  it('is free again when its owner was killed, whatever that left behind', async () => {
    const dir = newDir();
    DataDirectory.claim(dir, { program: 'hub' }).release();
    const killed = await holdIn(dir);
    writeFileSync(join(dir, 'owner.json'), JSON.stringify({ pid: killed.pid, program: 'hub', startedAt: 'x' }));
    expect(DataDirectory.owner(dir)).toMatchObject({ pid: killed.pid });
    expect(() => DataDirectory.claim(dir, { program: 'cli' })).toThrow(`process ${killed.pid}`);
    const ended = new Promise((resolve) => killed.once('exit', resolve));
    killed.kill('SIGKILL');
    await ended;
    expect(existsSync(join(dir, 'owner.json'))).toBe(true);
    expect(DataDirectory.owner(dir)).toBeUndefined();
    const claim = DataDirectory.claim(dir, { program: 'hub' });
    expect(DataDirectory.owner(dir)).toMatchObject({ pid: process.pid });
    claim.release();
  });

  it('survives a missing owner file', () => {
    const dir = newDir();
    const claim = DataDirectory.claim(dir, { program: 'hub' });
    unlinkSync(join(dir, 'owner.json'));
    expect(() => DataDirectory.claim(dir, { program: 'cli' })).toThrow('in use by another program');
    claim.setUrl('http://x');
    expect(JSON.parse(readFileSync(join(dir, 'owner.json'), 'utf8'))).toMatchObject({ url: 'http://x' });
    claim.release();
  });
});

/** Another process that holds the lock as a claim does. */
const holdIn = async (dir: string): Promise<ChildProcess> => {
  const libsql = createRequire(__filename).resolve('libsql');
  const script = `const D = require(${JSON.stringify(libsql)});
    const lock = new D(${JSON.stringify(join(dir, 'hub.lock'))});
    lock.exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => lock, 1000);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
};
