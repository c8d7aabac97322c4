import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectPostgres } from '#libs/kernel/postgres.js';
import { ranAgainst } from '../ran-against.js';

const run = promisify(execFile);

/** PostgreSQL of the container, where Docker is what there is. */
const IMAGE = 'postgres:17.6-bookworm';
const DEBIAN = '/usr/lib/postgresql';

export interface PostgresServer {
  /** Of a database that may be written to, as `HILO_READ_MODEL_URL` takes it. */
  url: string;
  /** What it is, for the report. */
  name: string;
  /** Ends it as a power cut would, and starts it over the same data; absent where it is not ours to end. */
  crash?(): Promise<void>;
  /** Ends it and what it kept; one that was given goes on. */
  stop(): Promise<void>;
}

/**
 * A real server: the one `HILO_TEST_POSTGRES_URL` names, else Debian's started by hand, else a container.
 * @param options.durable has Debian's sync what it commits, as it does where it is installed; tests need not wait for it
 * @throws Error that says what to install
 */
export const startPostgres = async ({ durable = false } = {}): Promise<PostgresServer> => {
  const given = process.env.HILO_TEST_POSTGRES_URL;
  if (given) return { url: given, name: 'HILO_TEST_POSTGRES_URL', stop: async () => undefined };
  const bin = await debianServer();
  return bin ? startDebian(bin, durable) : startContainer();
};

const debianServer = async (): Promise<string | undefined> => {
  const versions = await readdir(DEBIAN).catch(() => []);
  const newest = versions.filter((name) => /^\d+$/.test(name)).toSorted((a, b) => Number(b) - Number(a))[0];
  return newest && join(DEBIAN, newest, 'bin');
};

// The server refuses to run as root.
const asServerUser = (program: string, args: readonly string[]) =>
  process.getuid!() === 0 ? run('runuser', ['-u', 'postgres', '--', program, ...args]) : run(program, [...args]);

const idOf = async (flag: '-u' | '-g'): Promise<number> => Number((await run('id', [flag, 'postgres'])).stdout);

/** It listens on a socket in its own directory, so that no port can be taken. */
const startDebian = async (bin: string, durable: boolean): Promise<PostgresServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'hilo-pg-'));
  if (process.getuid!() === 0) await chown(directory, await idOf('-u'), await idOf('-g'));
  const data = join(directory, 'data');
  const stop = async (): Promise<void> => {
    await asServerUser(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-s', 'stop']).catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await asServerUser(join(bin, 'initdb'), [
      '-D', data, '-U', 'hub', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync',
    ]); // prettier-ignore
    const options = [
      'listen_addresses=', `unix_socket_directories=${directory}`,
      ...(durable ? [] : ['fsync=off', 'full_page_writes=off']),
    ].map((option) => `-c ${option}`); // prettier-ignore
    await asServerUser(join(bin, 'pg_ctl'), [
      '-D', data, '-w', '-s', '-l', join(directory, 'log'), '-o', options.join(' '), 'start',
    ]); // prettier-ignore
    const { stdout } = await run(join(bin, 'postgres'), ['--version']);
    const url = `postgres://hub@localhost/postgres?host=${encodeURIComponent(directory)}`;
    const crash = async (): Promise<void> =>
      void (await asServerUser(join(bin, 'pg_ctl'), [
        '-D', data, '-w', '-s', '-l', join(directory, 'log'), '-m', 'immediate', 'restart',
      ])); // prettier-ignore
    return { url, name: `${stdout.trim()} in ${bin}`, crash, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const startContainer = async (): Promise<PostgresServer> => {
  const { GenericContainer, Wait } = await import('testcontainers');
  try {
    const container = await new GenericContainer(IMAGE)
      .withEnvironment({ POSTGRES_USER: 'hub', POSTGRES_PASSWORD: 'hub' })
      .withExposedPorts(5432)
      // It starts twice: the first time for its own set-up.
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start();
    const url = `postgres://hub:hub@${container.getHost()}:${container.getMappedPort(5432)}/hub`;
    return { url, name: `container ${IMAGE}`, stop: async () => void (await container.stop()) };
  } catch (cause) {
    throw new Error(
      'there is no PostgreSQL to test with: apt-get install postgresql, or start Docker, or set HILO_TEST_POSTGRES_URL',
      { cause },
    );
  }
};

/**
 * One server for all tests of a file; it says what they ran against.
 * @returns what gives an address with a schema that nobody uses
 */
export const postgresForTests = (): (() => string) => {
  let server: PostgresServer | undefined;
  const prefix = `test_${randomBytes(6).toString('hex')}`;
  let addresses = 0;
  beforeAll(async () => {
    server = await startPostgres();
    ranAgainst(`PostgreSQL: ${server.name}`);
  }, 120_000);
  afterAll(async () => {
    if (server && server.url === process.env.HILO_TEST_POSTGRES_URL) await dropSchemas(server.url, prefix);
    await server?.stop();
  }, 120_000);
  return () => {
    const address = new URL(server!.url);
    address.searchParams.set('schema', `${prefix}_${++addresses}`);
    return address.href;
  };
};

/** A server that goes on is left as it was. */
const dropSchemas = async (url: string, prefix: string): Promise<void> => {
  const session = await connectPostgres({ url, schema: 'public', room: 'TEST' });
  const { rows } = await session.query<{ name: string }>(
    'SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, $1)',
    [prefix],
  );
  for (const { name } of rows) await session.query(`DROP SCHEMA ${name} CASCADE`);
  session.release();
};
