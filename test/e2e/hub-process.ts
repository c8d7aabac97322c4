import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubClient } from './hub-client.js';
import { DIST, SpawnedProgram, environment, killRunning } from './spawned-program.js';
import { PATIENCE_MS } from './waiting.js';

const HUB = join(DIST, 'apps', 'hub', 'src', 'main.js');
const CLI = join(DIST, 'apps', 'cli', 'src', 'main.js');

export type Role = 'integration' | 'agent' | 'supervisor' | 'analyst' | 'admin';

export interface HubOptions {
  dataDir: string;
  /** Settings besides data directory and port. */
  env?: Readonly<Record<string, string>>;
}

const running = new Set<SpawnedProgram>();
const directories: string[] = [];

/** A hub as users run it: the built program in a process of its own. */
export class HubProcess extends SpawnedProgram {
  private constructor(
    readonly dataDir: string,
    env: Readonly<Record<string, string>>,
  ) {
    super(
      {
        title: 'the hub',
        command: [process.execPath, HUB],
        settings: { HILO_DATA_DIR: dataDir, HILO_PORT: '0', ...env },
        addressIn,
      },
      running,
    );
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

  /** Bytes of memory it holds. */
  memoryBytes(): number {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(resident) * 1024;
  }
}

const addressIn = (stdout: string): string | Error | undefined => {
  // The last line it says once it is up.
  if (!stdout.includes('Ctrl-C')) return undefined;
  const url = /^Hilo is listening on (http:\S+)$/m.exec(stdout)?.[1];
  return url ?? new Error(`the hub names no address: ${stdout}`);
};

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
export const killAll = (): Promise<void> => killRunning(running);

/** Ends what a suite has left running and removes its directories. */
export const cleanUp = async (): Promise<void> => {
  await killAll();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
};
