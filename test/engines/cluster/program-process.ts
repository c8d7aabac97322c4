import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { DIST, environment, type Exit } from '../../e2e/hub-process.js';
import { within } from '../../e2e/waiting.js';
import type { NetworkNamespace } from '../namespace.js';

export type ProgramName = 'ingest' | 'recorder' | 'projector' | 'timeline-api';

/** Directory for CPU profiles of the programs. `HILO_ENGINES_PROFILE`, unset: none. */
const { HILO_ENGINES_PROFILE: directory } = process.env;
const PROFILE = directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`];

const running = new Set<ProgramProcess>();

/** One of the programs of the line as operators run it: the built program in a process of its own. */
export class ProgramProcess {
  stderr = '';
  /** Whether it was asked to end, or made to. */
  asked = false;
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private readonly address: Promise<string>;

  private constructor(
    readonly name: ProgramName,
    env: Readonly<Record<string, string>>,
    namespace?: NetworkNamespace,
  ) {
    const main = join(DIST, 'apps', name, 'src', 'main.js');
    const [command, ...words] = [...(namespace?.prefix ?? []), process.execPath, ...PROFILE, main];
    this.child = spawn(command!, words, {
      env: environment({ HILO_PORT: '0', ...(namespace && { HILO_HOST: namespace.inside }), ...env }),
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
      let stdout = '';
      this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
        const url = /is listening on (http:\S+)\n/.exec(stdout)?.[1];
        if (url !== undefined) found(url.replace('localhost', '127.0.0.1'));
      });
      void this.exited.then(({ code, signal }) =>
        failed(new Error(`${name} ended with ${signal ?? code} before it listened: ${this.stderr}`)),
      );
    });
    // Whoever starts a program to see it fail asks for `exited`.
    this.address.catch(() => undefined);
  }

  /** Runs the program, in a network namespace where one is given, and does not wait for it. */
  static spawn(name: ProgramName, env: Readonly<Record<string, string>>, namespace?: NetworkNamespace): ProgramProcess {
    return new ProgramProcess(name, env, namespace);
  }

  url(): Promise<string> {
    return within(this.address, `${this.name} to listen`);
  }

  get isRunning(): boolean {
    return running.has(this);
  }

  /** Asks it to stop and waits until it has. */
  stop(): Promise<Exit> {
    this.asked = true;
    this.child.kill('SIGTERM');
    return within(this.exited, `${this.name} to stop`);
  }

  /** Ends it as a crash would. */
  kill(): Promise<Exit> {
    this.asked = true;
    this.child.kill('SIGKILL');
    return within(this.exited, `the killed ${this.name} to be gone`);
  }

  async readiness(): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(`${await this.url()}/readyz`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  /** A figure of `/metrics`, all its labels together; undefined where it shows none of that name. */
  async metric(name: string): Promise<number | undefined> {
    return metricAt(await this.url(), name);
  }
}

/** The same of whatever program listens at an address. */
export const metricAt = async (url: string, name: string): Promise<number | undefined> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, value]) =>
    Number(value),
  );
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
};

/** Ends what a suite has left running. */
export const killPrograms = async (): Promise<void> => {
  await Promise.all([...running].map((program) => program.kill()));
};
