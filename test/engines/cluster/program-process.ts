import { join } from 'node:path';
import { DIST, SpawnedProgram, killRunning, type Exit } from '../../e2e/spawned-program.js';
import type { NetworkNamespace } from '../namespace.js';

export type ProgramName = 'ingest' | 'recorder' | 'projector' | 'timeline-api';

/** Directory for CPU profiles of the programs. `HILO_ENGINES_PROFILE`, unset: none. */
const { HILO_ENGINES_PROFILE: directory } = process.env;
const PROFILE = directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`];

const running = new Set<SpawnedProgram>();

/** One of the programs of the line as operators run it: the built program in a process of its own. */
export class ProgramProcess extends SpawnedProgram {
  /** Whether it was asked to end, or made to. */
  asked = false;

  private constructor(
    readonly name: ProgramName,
    env: Readonly<Record<string, string>>,
    namespace?: NetworkNamespace,
  ) {
    const main = join(DIST, 'apps', name, 'src', 'main.js');
    super(
      {
        title: name,
        command: [...(namespace?.prefix ?? []), process.execPath, ...PROFILE, main],
        settings: { HILO_PORT: '0', ...(namespace && { HILO_HOST: namespace.inside }), ...env },
        addressIn: (stdout) => /is listening on (http:\S+)\n/.exec(stdout)?.[1],
      },
      running,
    );
  }

  /** Runs the program, in a network namespace where one is given, and does not wait for it. */
  static spawn(name: ProgramName, env: Readonly<Record<string, string>>, namespace?: NetworkNamespace): ProgramProcess {
    return new ProgramProcess(name, env, namespace);
  }

  override stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<Exit> {
    this.asked = true;
    return super.stop(signal);
  }

  override kill(): Promise<Exit> {
    this.asked = true;
    return super.kill();
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
export const killPrograms = (): Promise<void> => killRunning(running);
