import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { ended, run, versionOf } from '../processes.js';
import type { BrokerRunner } from './broker.js';
import { propertiesOf, SCRAM_USERS, type Ports } from './broker-settings.js';
import type { Certificates } from './certificates.js';
import { KAFKA_VERSION, POM } from './version.js';

const JARS = resolve(`node_modules/.cache/hilo-engines/kafka-${KAFKA_VERSION}`);
const JAVA = versionOf('java', '--version')?.split('\n')[0];

/** Whether this machine has what a broker as a process needs: Java, and Maven or what Maven has fetched before. */
export const hasJava = (): boolean =>
  JAVA !== undefined && (existsSync(JARS) || versionOf('mvn', '--version') !== undefined);

/** A broker as a process of Java; Maven fetches it on first use. */
export class BrokerProcess implements BrokerRunner {
  readonly name = `artifacts of Maven Central, ${JAVA}`;
  private child: ChildProcess | undefined;

  private constructor(private readonly directory: string) {
    // Whatever becomes of the tests, no broker outlives them.
    process.once('exit', this.killNow);
  }

  /** Formats a directory; `run` starts the broker. */
  static async format(
    directory: string,
    { ports, cluster, certificates }: { ports: Ports; cluster: string; certificates?: Certificates },
  ): Promise<BrokerProcess> {
    await fetchJars();
    const file = join(directory, 'server.properties');
    writeFileSync(
      file,
      propertiesOf(ports, {
        data: join(directory, 'data'),
        ...(certificates && { certificates }),
      }),
    );
    const users = certificates ? SCRAM_USERS : [];
    await run('java', javaArgs('kafka.tools.StorageTool', 'format', `--cluster-id=${cluster}`, '-c', file, ...users));
    return new BrokerProcess(directory);
  }

  run(): Promise<void> {
    const log = openSync(join(this.directory, 'broker.log'), 'a');
    this.child = spawn('java', javaArgs('kafka.Kafka', join(this.directory, 'server.properties')), {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return Promise.resolve();
  }

  hasEnded(): boolean {
    return this.child === undefined || this.child.exitCode !== null;
  }

  log(): Promise<string> {
    return Promise.resolve(readFileSync(join(this.directory, 'broker.log'), 'utf8'));
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.killNow();
    if (child) await ended(child);
  }

  freeze(): Promise<void> {
    this.child?.kill('SIGSTOP');
    return Promise.resolve();
  }

  thaw(): Promise<void> {
    this.child?.kill('SIGCONT');
    return Promise.resolve();
  }

  holds(text: string): Promise<boolean> {
    const data = join(this.directory, 'data');
    const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    return Promise.resolve(files.some((file) => readFileSync(join(file.parentPath, file.name)).includes(text)));
  }

  async stop(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.killNow);
  }

  private readonly killNow = (): void => {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  };
}

const fetchJars = async (): Promise<void> => {
  if (existsSync(JARS)) return;
  const aside = `${JARS}.${process.pid}`;
  mkdirSync(resolve(JARS, '..'), { recursive: true });
  await run('mvn', ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${aside}`]);
  renameSync(aside, JARS);
};

const javaArgs = (main: string, ...args: string[]): string[] => [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-cp',
  join(JARS, '*'),
  main,
  ...args,
];
