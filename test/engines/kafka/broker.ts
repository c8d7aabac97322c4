import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { freePort } from '../processes.js';
import { ranAgainst } from '../ran-against.js';
import { BrokerContainer } from './broker-container.js';
import { BrokerProcess, hasJava } from './broker-process.js';
import type { Ports } from './broker-settings.js';
import { makeCertificates, type Certificates } from './certificates.js';
import { KAFKA_VERSION } from './version.js';

const CLIENT = (JSON.parse(readFileSync('node_modules/kafkajs/package.json', 'utf8')) as { version: string }).version;
const START_MS = 60_000;

/** A broker of ours, however it runs. */
export interface BrokerRunner {
  /** What it is, for the report. */
  name: string;
  /** Starts it over the same data, and does not wait until it answers. */
  run(): Promise<void>;
  hasEnded(): boolean | Promise<boolean>;
  log(): Promise<string>;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  holds(text: string): Promise<boolean>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface BrokerOptions {
  /** Another address of this machine to listen on. */
  alsoAt?: string;
  /** Also listens with TLS: see `SecurePorts`. */
  secure?: boolean;
}

interface OwnBroker {
  runner: BrokerRunner;
  directory: string;
  ports: Ports;
  certificates?: Certificates;
}

/** One Apache Kafka in KRaft mode. */
export class KafkaBroker {
  private constructor(
    /** `host:port` of its plain listener. */
    readonly address: string,
    private readonly ours?: OwnBroker,
  ) {}

  /**
   * For tests that only speak to it: the broker that `HILO_TEST_KAFKA_URL` names, else as `startOwn`.
   * @throws Error that says what to install
   */
  static start(): Promise<KafkaBroker> {
    const given = process.env.HILO_TEST_KAFKA_URL;
    if (!given) return KafkaBroker.startOwn();
    ranAgainst(`Apache Kafka at HILO_TEST_KAFKA_URL, kafkajs ${CLIENT}`);
    return Promise.resolve(new KafkaBroker(given.replace('kafka://', '')));
  }

  /**
   * One with data of its own, which can be killed, frozen and started again: a process of Java, else a container.
   * @throws Error that says what to install
   */
  static async startOwn({ alsoAt, secure = false }: BrokerOptions = {}): Promise<KafkaBroker> {
    const directory = mkdtempSync(join(tmpdir(), 'hilo-kafka-'));
    try {
      const ours = await makeIn(directory, alsoAt, secure);
      const broker = new KafkaBroker(`127.0.0.1:${ours.ports.plain}`, ours);
      await broker.run().catch(async (error: unknown) => {
        await broker.stop();
        throw error;
      });
      ranAgainst(`Apache Kafka ${KAFKA_VERSION} (KRaft, one node, ${ours.runner.name}), kafkajs ${CLIENT}`);
      return broker;
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return `kafka://${this.address}`;
  }

  /** As `url`, by the address it was also to listen on. */
  get otherUrl(): string {
    const { other } = this.own.ports;
    return `kafka://${other!.address}:${other!.port}`;
  }

  /** As `url`, of its listeners with TLS. */
  get secureUrls(): { sasl: string; mutual: string } {
    const { sasl, mutual } = this.own.ports.secure!;
    return { sasl: `kafka://127.0.0.1:${sasl}`, mutual: `kafka://127.0.0.1:${mutual}` };
  }

  get certificates(): Certificates {
    return this.own.certificates!;
  }

  /** Starts it over the same data, and waits until it answers. */
  async run(): Promise<void> {
    const { runner } = this.own;
    await runner.run();
    const deadline = Date.now() + START_MS;
    while (!(await answers(this.address))) {
      if ((await runner.hasEnded()) || Date.now() > deadline)
        throw new Error(`the broker did not start: ${(await runner.log()).slice(-3000)}`);
      await sleep(100);
    }
  }

  /** Ends it at once, as a power cut does. */
  kill(): Promise<void> {
    return this.own.runner.kill();
  }

  /** It keeps its connections, and answers nothing. */
  freeze(): Promise<void> {
    return this.own.runner.freeze();
  }

  thaw(): Promise<void> {
    return this.own.runner.thaw();
  }

  /** Whether a text lies in clear in any file of its data. */
  holds(text: string): Promise<boolean> {
    return this.own.runner.holds(text);
  }

  /** Ends it, and removes its data; one that was given goes on. */
  async stop(): Promise<void> {
    if (!this.ours) return;
    await this.ours.runner.stop();
    rmSync(this.ours.directory, { recursive: true, force: true });
  }

  private get own() {
    if (!this.ours) throw new Error('the broker at HILO_TEST_KAFKA_URL is not ours to change');
    return this.ours;
  }
}

const makeIn = async (directory: string, alsoAt: string | undefined, secure: boolean): Promise<OwnBroker> => {
  const ports: Ports = {
    plain: await freePort(),
    controller: await freePort(),
    ...(alsoAt !== undefined && { other: { address: alsoAt, port: await freePort() } }),
    ...(secure && { secure: { sasl: await freePort(), mutual: await freePort() } }),
  };
  const security = secure && { certificates: await makeCertificates(directory) };
  const needs = { ports, cluster: randomBytes(16).toString('base64url'), ...security };
  const runner = hasJava() ? await BrokerProcess.format(directory, needs) : await BrokerContainer.create(needs);
  return { runner, directory, ports, ...security };
};

/** Whether a broker speaks at an address; the port of a container is open before. */
const answers = async (address: string): Promise<boolean> => {
  const admin = new kafkajs.Kafka({
    brokers: [address],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
};
