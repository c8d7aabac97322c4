import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { FakeEventStoreDb } from '../eventstoredb-fake/fake-event-store-db.js';

const IMAGE = 'eventstore/eventstore:24.10.5';
const PORT = 2113;

/** What the tests of EventStoreDB run against. */
export type EventStoreDbKind = 'a server at HILO_TEST_ESDB_URL' | `a container of ${string}` | 'a fake';

export interface EventStoreDbUnderTest {
  /** Connection string of a part of the server that nothing has been written to. */
  emptyUrl(): Promise<string>;
  stop(): Promise<void>;
}

/** A server that is named, else one in a container, else the fake. */
export const eventStoreDbKind = (env: Readonly<Record<string, string | undefined>> = process.env): EventStoreDbKind => {
  if (env['HILO_TEST_ESDB_URL']) return 'a server at HILO_TEST_ESDB_URL';
  const docker = env['DOCKER_HOST'] !== undefined || existsSync('/var/run/docker.sock');
  return docker ? `a container of ${IMAGE}` : 'a fake';
};

export const startEventStoreDb = async (kind: EventStoreDbKind): Promise<EventStoreDbUnderTest> => {
  if (kind === 'a fake') return startFakes();
  if (kind === 'a server at HILO_TEST_ESDB_URL')
    return { emptyUrl: async () => withNamespace(process.env['HILO_TEST_ESDB_URL']!), stop: async () => undefined };
  return startContainer();
};

const startFakes = async (): Promise<EventStoreDbUnderTest> => {
  const fakes: FakeEventStoreDb[] = [];
  return {
    emptyUrl: async () => {
      const fake = await FakeEventStoreDb.start({ foreignEvery: 3 });
      fakes.push(fake);
      return withNamespace(fake.url());
    },
    stop: async () => {
      await Promise.all(fakes.map((fake) => fake.stop()));
    },
  };
};

const startContainer = async (): Promise<EventStoreDbUnderTest> => {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ EVENTSTORE_INSECURE: 'true', EVENTSTORE_MEM_DB: 'true', EVENTSTORE_CLUSTER_SIZE: '1' })
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
    .start();
  const url = `esdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false`;
  return {
    emptyUrl: async () => withNamespace(url),
    stop: async () => {
      await container.stop();
    },
  };
};

const withNamespace = (url: string): string =>
  `${url}${url.includes('?') ? '&' : '?'}namespace=t${randomUUID().replaceAll('-', '')}`;
