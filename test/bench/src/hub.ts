import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IdFactory } from '#libs/kernel';
import { HttpCaller } from './load/http.js';
import { cpuSecondsOf, mainThreadCpuSecondsOf, memoryOf, type Memory } from './memory.js';
import { Program } from './program.js';
import type { Workspace } from './workspace.js';
import type { Part } from './yardsticks/hub-without.program.js';

export const TENANT = 'demo';

type Keys = Record<'integration' | 'agent', string>;

/** The flags that `npm start` gives to Node: what is measured is what is run. */
const startFlags = (): string[] => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
};

export interface HubVariant {
  /** Directory for CPU profiles. */
  profile?: string | undefined;
  without?: Part | undefined;
  /** More settings. */
  env?: Readonly<Record<string, string>>;
}

/** The product as `npm start` runs it, on a data directory of ours. */
export class Hub {
  private constructor(
    private readonly program: Program,
    private readonly dataDir: string,
    private readonly keys: Keys,
  ) {}

  static async start(workspace: Workspace, dataDir: string, { profile, without, env }: HubVariant = {}): Promise<Hub> {
    const program = await Program.start(workspace, {
      file: new URL(without ? './yardsticks/hub-without.program.js' : '../../../apps/hub/src/main.js', import.meta.url),
      nodeArgs: [...startFlags(), ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])],
      env: {
        HILO_DATA_DIR: dataDir,
        HILO_PORT: '0',
        HILO_LOG_LEVEL: 'error',
        ...(without && { BENCH_WITHOUT: without }),
        ...env,
      },
      readyPath: '/readyz',
    });
    const keys = JSON.parse(readFileSync(join(dataDir, 'api-keys.json'), 'utf8')) as Record<string, Keys>;
    return new Hub(program, dataDir, keys[TENANT]!);
  }

  get url(): string {
    return this.program.url;
  }

  get readyMs(): number {
    return this.program.readyMs;
  }

  /** Derives the ids of this installation. */
  ids(): IdFactory {
    return new IdFactory(readFileSync(join(this.dataDir, 'pepper')));
  }

  get integrationKey(): string {
    return this.keys.integration;
  }

  asIntegration(connections: number): HttpCaller {
    return new HttpCaller(this.url, this.keys.integration, connections);
  }

  asAgent(connections: number): HttpCaller {
    return new HttpCaller(this.url, this.keys.agent, connections);
  }

  memory(): Memory | undefined {
    return memoryOf(this.program.pid);
  }

  /** Processor time so far, in seconds. */
  cpuSeconds(): number | undefined {
    return cpuSecondsOf(this.program.pid);
  }

  /** The same of its main thread alone. */
  mainThreadCpuSeconds(): number | undefined {
    return mainThreadCpuSecondsOf(this.program.pid);
  }

  stop(): Promise<void> {
    return this.program.stop();
  }
}

/** Resolves when the customer of this identifier can be read as of a position; the hub itself waits at most five seconds. */
export const waitUntilVisible = async (agent: HttpCaller, identifier: string, position: number): Promise<void> => {
  const path = `/v1/customers?identifier=${encodeURIComponent(identifier)}&atLeast=${position}`;
  for (;;) {
    const { status, text } = await agent.get(path);
    if (status === 503) continue;
    if (status !== 200 || text.startsWith('{"items":[]'))
      throw new Error(`${path} answered ${status} ${text.slice(0, 200)}`);
    return;
  }
};
