import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Workspace } from './workspace.js';

export interface ProgramOptions {
  file: URL;
  /** Arguments of Node itself. */
  nodeArgs?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Answers 200 as soon as the program is ready. */
  readyPath: string;
}

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;

/** An HTTP program in a process of its own; it says on its standard output what address it listens on. */
export class Program {
  private constructor(
    private readonly child: ChildProcess,
    /** Without a closing slash; an IP address, so that no name is looked up. */
    readonly url: string,
    /** From the start of the process to the first 200. */
    readonly readyMs: number,
  ) {}

  static async start(
    workspace: Workspace,
    { file, nodeArgs = [], env = {}, readyPath }: ProgramOptions,
  ): Promise<Program> {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !name.startsWith('HILO_') || name === 'HILO_SQLITE_DRIVER',
    );
    const startedAt = performance.now();
    const child = workspace.own(
      spawn(process.execPath, [...nodeArgs, fileURLToPath(file)], {
        env: { ...Object.fromEntries(inherited), ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const port = await portOf(child);
    const url = `http://127.0.0.1:${port}`;
    while ((await statusOf(url + readyPath)) !== 200) {
      if (child.exitCode !== null || performance.now() - startedAt > START_TIMEOUT_MS)
        throw new Error(`${fileURLToPath(file)} does not get ready`);
      await sleep(2);
    }
    return new Program(child, url, performance.now() - startedAt);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGINT');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
}

const portOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const port = /listening on http:\/\/[^\s:]+:(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the program ended with ${code ?? signal} before it listened`)),
    );
  });

const statusOf = async (url: string): Promise<number | undefined> => {
  try {
    const response = await fetch(url, { keepalive: false });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
};
