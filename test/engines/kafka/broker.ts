import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ended, freePort, run, versionOf } from '../processes.js';
import { ranAgainst } from '../ran-against.js';

const POM = resolve('test/engines/kafka/pom.xml');
const VERSION = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(POM, 'utf8'))![1]!;
const JARS = resolve(`node_modules/.cache/hilo-engines/kafka-${VERSION}`);
const CLIENT = (JSON.parse(readFileSync('node_modules/kafkajs/package.json', 'utf8')) as { version: string }).version;
const START_MS = 60_000;

const JAVA = versionOf('java', '--version')?.split('\n')[0] ?? 'unknown Java';
/** What the tests run against, in words. */
export const KAFKA_DESCRIPTION = `Apache Kafka ${VERSION} (KRaft, one node, artifacts of Maven Central, ${JAVA})`;

/** One Apache Kafka in KRaft mode, with a data directory of its own; as a process it can be killed, frozen and started again. */
export class KafkaBroker {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly directory: string,
    readonly port: number,
    /** Where it is reached by another way. */
    private readonly other: string | undefined,
  ) {
    // Whatever becomes of the tests, no broker outlives them.
    process.once('exit', this.killNow);
  }

  /**
   * Fetches the artifacts on first use, formats a directory and starts a broker on a free port.
   * @param alsoAt another address of this machine to listen on
   */
  static async start(alsoAt?: string): Promise<KafkaBroker> {
    await fetchJars();
    const directory = mkdtempSync(join(tmpdir(), 'hilo-kafka-'));
    const [port, controllerPort] = [await freePort(), await freePort()];
    const other = alsoAt === undefined ? undefined : `${alsoAt}:${await freePort()}`;
    writeFileSync(join(directory, 'server.properties'), propertiesOf(directory, port, controllerPort, other));
    const cluster = randomBytes(16).toString('base64url');
    await run(
      'java',
      javaArgs(
        'kafka.tools.StorageTool',
        'format',
        `--cluster-id=${cluster}`,
        '-c',
        join(directory, 'server.properties'),
      ),
    );
    const broker = new KafkaBroker(directory, port, other);
    try {
      await broker.run();
    } catch (error) {
      await broker.stop();
      throw error;
    }
    ranAgainst(`${KAFKA_DESCRIPTION}, kafkajs ${CLIENT}`);
    return broker;
  }

  get url(): string {
    return `kafka://${this.address}`;
  }

  /** As `url`, by the address it was also to listen on. */
  get otherUrl(): string {
    return `kafka://${this.other}`;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it over the same data, and waits until it answers. */
  async run(): Promise<void> {
    const log = openSync(join(this.directory, 'broker.log'), 'a');
    this.child = spawn('java', javaArgs('kafka.Kafka', join(this.directory, 'server.properties')), {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const deadline = Date.now() + START_MS;
    while (!(await answers(this.port))) {
      if (this.child.exitCode !== null || Date.now() > deadline)
        throw new Error(
          `the broker did not start: ${readFileSync(join(this.directory, 'broker.log'), 'utf8').slice(-3000)}`,
        );
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }

  /** Ends it at once, as a power cut does. */
  async kill(): Promise<void> {
    const { child } = this;
    this.killNow();
    if (child) await ended(child);
  }

  /** It keeps its connections, and answers nothing. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Whether a text lies in clear in any file of its data. */
  holds(text: string): boolean {
    const data = join(this.directory, 'data');
    const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    return files.some((file) => readFileSync(join(file.parentPath, file.name)).includes(text));
  }

  /** Ends it, and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.killNow);
    rmSync(this.directory, { recursive: true, force: true });
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

const propertiesOf = (directory: string, port: number, controllerPort: number, other?: string): string => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${other ? `,OTHER://${other}` : ''}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}${other ? `,OTHER://${other}` : ''}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OTHER:PLAINTEXT
log.dirs=${join(directory, 'data')}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=2097152
`;

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
