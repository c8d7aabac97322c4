import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { PostgresApiKeys } from '#libs/access/postgres.api-keys.js';
import { SystemClock } from '#libs/kernel';
import { HubClient } from '../../e2e/hub-client.js';
import { cleanUp, hiloWith, temporaryDirectory, type CliRun, type Role } from '../../e2e/hub-process.js';
import { eventually, within } from '../../e2e/waiting.js';
import { KafkaBroker } from '../kafka/broker.js';
import type { NetworkNamespace } from '../namespace.js';
import { startPostgres, type PostgresServer } from '../postgres/postgres-server.js';
import { ended } from '../processes.js';
import { ranAgainst } from '../ran-against.js';
import { ProgramProcess, killPrograms, type ProgramName } from './program-process.js';

const TENANT = 'demo';
const PROGRAMS: readonly ProgramName[] = [
  'projector',
  'projector',
  'recorder',
  'recorder',
  'ingest',
  'ingest',
  'timeline-api',
  'timeline-api',
];

/** The event store of the cluster: the fake, in a process of its own. */
class EventStoreProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(): Promise<EventStoreProcess> {
    const child = spawn(process.execPath, [resolve('test/engines/cluster/event-store.mjs')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const url = new Promise<string>((found, failed) => {
      child.stdout.setEncoding('utf8').once('data', (text: string) => found(text.trim()));
      child.once('exit', (code) => failed(new Error(`the event store ended with ${code}`)));
    });
    return new EventStoreProcess(child, await within(url, 'the event store'));
  }

  /** It keeps its connections, and answers nothing. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await ended(this.child);
  }
}

/** The three servers, and the four programs on them, two of each. */
export class Cluster {
  readonly programs: ProgramProcess[] = [];
  private readonly keys = new Map<string, string>();
  private apiKeys: PostgresApiKeys | undefined;
  private namespace: { network: NetworkNamespace; env: Readonly<Record<string, string>> } | undefined;

  private constructor(
    readonly kafka: KafkaBroker,
    readonly postgres: PostgresServer,
    readonly eventStore: EventStoreProcess,
    readonly env: Readonly<Record<string, string>>,
  ) {}

  /**
   * Starts the servers and makes topics and tables; no program yet.
   * @param network where programs are to run whose way to the servers can be cut
   */
  static async start(env: Readonly<Record<string, string>> = {}, network?: NetworkNamespace): Promise<Cluster> {
    const servers = [
      KafkaBroker.startOwn(network && { alsoAt: network.outside }),
      startPostgres(),
      EventStoreProcess.start(),
    ] as const;
    try {
      const [kafka, postgres, eventStore] = await Promise.all(servers);
      ranAgainst(`${postgres.name}, fake of EventStoreDB in its own process, four programs`);
      const cluster = new Cluster(kafka, postgres, eventStore, {
        HILO_BUS_URL: kafka.url,
        HILO_EVENT_STORE_URL: eventStore.url,
        HILO_READ_MODEL_URL: postgres.url,
        HILO_MASTER_KEY: randomBytes(32).toString('base64'),
        HILO_PEPPER: randomBytes(32).toString('base64'),
        HILO_KAFKA_REPLICATION: '1',
        HILO_KAFKA_MIN_INSYNC: '1',
        HILO_KAFKA_PARTITIONS: '6',
        HILO_KAFKA_SESSION_SECONDS: '6',
        ...env,
      });
      if (network) await cluster.reachFrom(network);
      for (const what of ['topics', 'schema']) {
        const made = await cluster.hilo(what, 'ensure');
        if (made.code !== 0) throw new Error(`hilo ${what} ensure ended with ${made.code}: ${made.stderr}`);
      }
      return cluster;
    } catch (error) {
      // A server that went on would keep the test run from ending.
      for (const start of await Promise.allSettled(servers)) if (start.status === 'fulfilled') await start.value.stop();
      throw error;
    }
  }

  /** Starts two of each program, and waits until all are ready. */
  async startPrograms(): Promise<void> {
    await Promise.all(PROGRAMS.map((name) => this.startProgram(name).url()));
    await eventually(async () => {
      if (!(await this.leader())) throw new Error('no projector leads');
    });
  }

  /** Starts one more. Resolves at once; its data directory is its own. */
  startProgram(name: ProgramName, env: Readonly<Record<string, string>> = {}): ProgramProcess {
    const program = ProgramProcess.spawn(name, { ...this.env, HILO_DATA_DIR: temporaryDirectory(), ...env });
    this.programs.push(program);
    return program;
  }

  /** Starts one inside of the network namespace. */
  startInside(name: ProgramName): ProgramProcess {
    const { network, env } = this.namespace!;
    const program = ProgramProcess.spawn(name, { ...this.env, ...env, HILO_DATA_DIR: temporaryDirectory() }, network);
    this.programs.push(program);
    return program;
  }

  /** The running programs of a name, in the order of their start. */
  of(name: ProgramName): ProgramProcess[] {
    return this.programs.filter((program) => program.name === name && program.isRunning);
  }

  /** Speaks to the nth program of a name that is running. */
  async client(name: ProgramName, role: Role, nth = 0, tenant = TENANT): Promise<HubClient> {
    return new HubClient(await this.of(name)[nth]!.url(), await this.key(role, tenant));
  }

  /** The one projector that leads. */
  async leader(): Promise<ProgramProcess | undefined> {
    for (const projector of this.of('projector'))
      if ((await projector.readiness()).body['leading'] === true) return projector;
    return undefined;
  }

  /** Runs `hilo` with the settings of the programs. */
  hilo(...words: string[]): Promise<CliRun> {
    return hiloWith({ dataDir: temporaryDirectory(), env: this.env }, ...words);
  }

  /** @throws Error where the server is not ours to end */
  async crashPostgres(): Promise<void> {
    if (!this.postgres.crash) throw new Error('this PostgreSQL is not ours to end: unset HILO_TEST_POSTGRES_URL');
    await this.postgres.crash();
  }

  async stop(): Promise<void> {
    this.eventStore.thaw();
    await killPrograms();
    await this.apiKeys?.close();
    await Promise.all([this.kafka.stop(), this.postgres.stop(), this.eventStore.stop()]);
    await cleanUp();
  }

  private async reachFrom(network: NetworkNamespace): Promise<void> {
    const eventStore = new URL(this.eventStore.url);
    const postgres = new URL(this.postgres.url);
    const socket = postgres.searchParams.get('host');
    if (socket === null) throw new Error('this PostgreSQL is not ours: unset HILO_TEST_POSTGRES_URL');
    const storePort = await network.expose({ host: eventStore.hostname, port: Number(eventStore.port) });
    const postgresPort = await network.expose({ path: join(socket, '.s.PGSQL.5432') });
    this.namespace = {
      network,
      env: {
        HILO_BUS_URL: this.kafka.otherUrl,
        HILO_EVENT_STORE_URL: `esdb://${network.outside}:${storePort}?tls=false`,
        HILO_READ_MODEL_URL: `postgres://hub@${network.outside}:${postgresPort}/postgres`,
      },
    };
  }

  private async key(role: Role, tenant: string): Promise<string> {
    const name = `${tenant} ${role}`;
    const known = this.keys.get(name);
    if (known !== undefined) return known;
    this.apiKeys ??= await PostgresApiKeys.open({ url: this.postgres.url, clock: new SystemClock() });
    const { key } = await this.apiKeys.create({ tenant, role });
    this.keys.set(name, key);
    return key;
  }
}
