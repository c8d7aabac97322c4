import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HubClient } from './hub-client.js';
import { PATIENCE_MS, within } from './waiting.js';

/** Where the built programs are. `HILO_DIST`, default `dist`. */
export const DIST = resolve(process.env.HILO_DIST ?? 'dist');
const HUB = join(DIST, 'apps', 'hub', 'src', 'main.js');
const CLI = join(DIST, 'apps', 'cli', 'src', 'main.js');

export type Role = 'integration' | 'agent' | 'supervisor' | 'analyst' | 'admin';

export interface HubOptions {
  dataDir: string;
  /** Settings besides data directory and port. */
  env?: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const running = new Set<HubProcess>();
const directories: string[] = [];

/** The settings of whoever runs the tests must not reach the programs under test. */
export const environment = (settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('HILO_') || name === 'HILO_SQLITE_DRIVER'),
  ),
  ...settings,
});

/** A hub as users run it: the built program in a process of its own. */
export class HubProcess {
  stdout = '';
  stderr = '';
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private readonly address: Promise<string>;

  private constructor(
    readonly dataDir: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.child = spawn(process.execPath, [HUB], {
      env: environment({ HILO_DATA_DIR: dataDir, HILO_PORT: '0', ...env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this);
    this.exited = new Promise((done) =>
      this.child.once('close', (code, signal) => {
        running.delete(this);
        done({ code, signal });
      }),
    );
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.address = new Promise((found, failed) => {
      this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        this.stdout += text;
        // The last line it says once it is up.
        if (!this.stdout.includes('Ctrl-C')) return;
        const url = /^Hilo is listening on (http:\S+)$/m.exec(this.stdout)?.[1];
        if (url === undefined) failed(new Error(`the hub names no address: ${this.stdout}`));
        else found(url.replace('localhost', '127.0.0.1'));
      });
      void this.exited.then(({ code, signal }) =>
        failed(new Error(`the hub ended with ${signal ?? code} before it listened: ${this.stderr}`)),
      );
    });
    // Whoever starts a hub to see it fail asks for `exited`.
    this.address.catch(() => undefined);
  }

  /** Runs the program and does not wait for it. */
  static spawn({ dataDir, env = {} }: HubOptions): HubProcess {
    return new HubProcess(dataDir, env);
  }

  /** Resolves once it listens. */
  static async start(options: HubOptions): Promise<HubProcess> {
    const hub = HubProcess.spawn(options);
    await hub.url();
    return hub;
  }

  url(): Promise<string> {
    return within(this.address, 'the hub to listen');
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isRunning(): boolean {
    return running.has(this);
  }

  /** The key of a role that the first start has made. */
  key(role: Role): string {
    const keys = JSON.parse(readFileSync(join(this.dataDir, 'api-keys.json'), 'utf8')) as {
      demo: Record<Role, string>;
    };
    return keys.demo[role];
  }

  /** Speaks to the API with the key of a role, with any other key, or with none. */
  async client(caller: Role | { key: string | undefined }): Promise<HubClient> {
    return new HubClient(await this.url(), typeof caller === 'string' ? this.key(caller) : caller.key);
  }

  /** Asks it to stop and waits until it has. */
  stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    return within(this.exited, 'the hub to stop');
  }

  /** Ends it as a crash would. */
  kill(): Promise<Exit> {
    this.child.kill('SIGKILL');
    return within(this.exited, 'the killed hub to be gone');
  }

  /** Bytes of memory it holds. */
  memoryBytes(): number {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(resident) * 1024;
  }
}

/** What a run of the command line printed. */
export interface CliRun {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `hilo` on a data directory. */
export const hilo = (dataDir: string, ...words: string[]): Promise<CliRun> => hiloWith({ dataDir }, ...words);

/** The same with settings besides the data directory. */
export const hiloWith = ({ dataDir, env: settings = {} }: HubOptions, ...words: string[]): Promise<CliRun> =>
  new Promise((done) => {
    const env = environment({ HILO_DATA_DIR: dataDir, NO_COLOR: '1', ...settings });
    execFile(process.execPath, [CLI, ...words], { env, timeout: PATIENCE_MS }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
    );
  });

/** A directory that is removed by `cleanUp`. */
export const temporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'hilo-e2e-'));
  directories.push(directory);
  return directory;
};

/** Ends what a suite has left running. */
export const killAll = async (): Promise<void> => {
  await Promise.all([...running].map((hub) => hub.kill()));
};

/** Ends what a suite has left running and removes its directories. */
export const cleanUp = async (): Promise<void> => {
  await killAll();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
};
