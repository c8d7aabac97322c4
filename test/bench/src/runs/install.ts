import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workspace } from '../workspace.js';

/** Seconds of `npm ci` beside nothing but package.json and lock file, with whatever npm has in its cache. */
export const installSeconds = async (workspace: Workspace, projectDir: string): Promise<number> => {
  const directory = workspace.directory('install');
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(projectDir, name), join(directory, name));
  const startedAt = performance.now();
  const npm = workspace.own(spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory, stdio: 'ignore' }));
  const [code] = (await once(npm, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`npm ci ended with ${code}`);
  const seconds = (performance.now() - startedAt) / 1000;
  workspace.remove(directory);
  return seconds;
};
