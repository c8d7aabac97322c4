import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { StartedTestContainer } from 'testcontainers';
import type { BrokerRunner } from './broker.js';
import { propertiesOf, SCRAM_USERS, type Ports } from './broker-settings.js';
import type { Certificates } from './certificates.js';
import { KAFKA_VERSION } from './version.js';

const IMAGE = `apache/kafka:${KAFKA_VERSION}`;
const FILES = '/tmp/hilo';
const DATA = `${FILES}-data`;

type Docker = Awaited<ReturnType<typeof dockerOf>>;

/** A broker in a container of this machine's Docker, at the same ports inside and outside. */
export class BrokerContainer implements BrokerRunner {
  readonly name = `container ${IMAGE}`;

  private constructor(
    private readonly container: StartedTestContainer,
    private readonly docker: Docker,
  ) {}

  /**
   * Starts it as well.
   * @throws Error that says what to install
   */
  static async create({
    ports,
    cluster,
    certificates,
  }: {
    ports: Ports;
    cluster: string;
    certificates?: Certificates;
  }): Promise<BrokerContainer> {
    const inside = certificates && insideOf(certificates);
    const properties = propertiesOf(ports, {
      data: DATA,
      listenAt: '0.0.0.0',
      ...(inside && { certificates: inside }),
    });
    const files = [
      { content: properties, target: `${FILES}/server.properties` },
      ...(certificates
        ? [certificates.authority, certificates.broker].map((file) => ({
            content: readFileSync(file, 'utf8'),
            target: `${FILES}/${basename(file)}`,
          }))
        : []),
    ];
    const users = certificates ? SCRAM_USERS.map((word) => `'${word}'`).join(' ') : '';
    const format = `/opt/kafka/bin/kafka-storage.sh format --cluster-id=${cluster} -c ${FILES}/server.properties ${users}`;
    const start = `exec /opt/kafka/bin/kafka-server-start.sh ${FILES}/server.properties`;
    const outside = [ports.plain, ports.other?.port, ports.secure?.sasl, ports.secure?.mutual];
    const { GenericContainer, Wait } = await import('testcontainers');
    try {
      const container = await new GenericContainer(IMAGE)
        .withEnvironment({ KAFKA_HEAP_OPTS: '-Xms128m -Xmx512m' })
        .withCopyContentToContainer(files)
        .withExposedPorts(
          ...outside.filter((port) => port !== undefined).map((port) => ({ container: port, host: port })),
        )
        .withEntrypoint(['/bin/sh', '-c'])
        .withCommand([`test -e ${DATA}/meta.properties || ${format} && ${start}`])
        .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
        .start();
      return new BrokerContainer(container, await dockerOf(container));
    } catch (cause) {
      throw new Error(
        'there is no Kafka to test with: apt-get install openjdk-17-jre-headless maven, or start Docker; for tests that only speak to it, set HILO_TEST_KAFKA_URL',
        { cause },
      );
    }
  }

  async run(): Promise<void> {
    if (await this.hasEnded()) await this.docker.start();
  }

  async hasEnded(): Promise<boolean> {
    return !(await this.docker.inspect()).State.Running;
  }

  async log(): Promise<string> {
    return (await this.docker.logs({ follow: false, stdout: true, stderr: true, tail: 50 })).toString();
  }

  async kill(): Promise<void> {
    await this.docker.kill();
    await this.docker.wait();
  }

  async freeze(): Promise<void> {
    await this.docker.pause();
  }

  async thaw(): Promise<void> {
    await this.docker.unpause();
  }

  async holds(text: string): Promise<boolean> {
    return (await this.container.exec(['grep', '-rqF', '--', text, DATA])).exitCode === 0;
  }

  async stop(): Promise<void> {
    await this.container.stop();
  }
}

/** What testcontainers itself cannot do to a container: to kill it, and to pause it. */
const dockerOf = async (container: StartedTestContainer) => {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return (await getContainerRuntimeClient()).container.getById(container.getId());
};

const insideOf = (certificates: Certificates): Certificates => ({
  ...certificates,
  authority: `${FILES}/${basename(certificates.authority)}`,
  broker: `${FILES}/${basename(certificates.broker)}`,
});
