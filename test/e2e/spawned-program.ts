import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { within } from './waiting.js';

/** Where the built programs are. `HILO_DIST`, default `dist`. */
export const DIST = resolve(process.env.HILO_DIST ?? 'dist');

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The settings of whoever runs the tests must not reach the programs under test. */
export const environment = (settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('HILO_') || name === 'HILO_SQLITE_DRIVER'),
  ),
  ...settings,
});

/** How to run a program, and how it tells that it is up. */
export interface Spawning {
  /** What messages call it. */
  title: string;
  /** The executable, and what it is given. */
  command: readonly string[];
  settings: Readonly<Record<string, string>>;
  /** Finds in what it has printed where it listens; undefined as long as it does not say, or an error where it never will. */
  addressIn: (stdout: string) => string | Error | undefined;
}

/** A built program in a process of its own. */
export abstract class SpawnedProgram {
  stdout = '';
  stderr = '';
  readonly exited: Promise<Exit>;
  private readonly title: string;
  private readonly child: ChildProcess;
  private readonly address: Promise<string>;

  constructor(
    { title, command: [command, ...words], settings, addressIn }: Spawning,
    private readonly running: Set<SpawnedProgram>,
  ) {
    this.title = title;
    this.child = spawn(command!, words, { env: environment(settings), stdio: ['ignore', 'pipe', 'pipe'] });
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
        const url = addressIn(this.stdout);
        if (url instanceof Error) failed(url);
        else if (url !== undefined) found(url.replace('localhost', '127.0.0.1'));
      });
      void this.exited.then(({ code, signal }) =>
        failed(new Error(`${title} ended with ${signal ?? code} before it listened: ${this.stderr}`)),
      );
    });
    // Whoever starts a program to see it fail asks for `exited`.
    this.address.catch(() => undefined);
  }

  url(): Promise<string> {
    return within(this.address, `${this.title} to listen`);
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isRunning(): boolean {
    return this.running.has(this);
  }

  /** Asks it to stop and waits until it has. */
  stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    return within(this.exited, `${this.title} to stop`);
  }

  /** Ends it as a crash would. */
  kill(): Promise<Exit> {
    this.child.kill('SIGKILL');
    return within(this.exited, `the killed ${this.title} to be gone`);
  }
}

/** Ends those of a suite that still run. */
export const killRunning = async (running: ReadonlySet<SpawnedProgram>): Promise<void> => {
  await Promise.all([...running].map((program) => program.kill()));
};
