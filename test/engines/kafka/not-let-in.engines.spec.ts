import { randomBytes, randomUUID } from 'node:crypto';
import { PostgresApiKeys } from '#libs/access/postgres.api-keys.js';
import { IdFactory, SystemClock } from '#libs/kernel';
import { FakeEventStoreDb } from '#libs/testing/eventstoredb-fake/fake-event-store-db.js';
import { HubClient } from '../../e2e/hub-client.js';
import { cleanUp, hiloWith, temporaryDirectory } from '../../e2e/hub-process.js';
import { eventually } from '../../e2e/waiting.js';
import { ProgramProcess, killPrograms } from '../cluster/program-process.js';
import { postgresForTests } from '../postgres/postgres-server.js';
import { KafkaBroker } from './broker.js';
import { USER } from './broker-settings.js';

jest.setTimeout(240_000);

const newAddress = postgresForTests();
let broker: KafkaBroker;
let eventStore: FakeEventStoreDb;
beforeAll(async () => {
  [broker, eventStore] = await Promise.all([KafkaBroker.startOwn({ secure: true }), FakeEventStoreDb.start()]);
});
afterEach(async () => {
  await killPrograms();
  await cleanUp();
});
afterAll(() => Promise.all([broker?.stop(), eventStore?.stop()]));

describe('programs of the line with a password that Kafka does not take', () => {
  it('end, but for the timeline API, which is ready and does not know what waits on Kafka', async () => {
    const pepper = randomBytes(32);
    const url = newAddress();
    const env = {
      HILO_DATA_DIR: temporaryDirectory(),
      HILO_BUS_URL: broker.secureUrls.sasl,
      HILO_KAFKA_TLS: 'true',
      HILO_KAFKA_CA_FILE: broker.certificates.authority,
      HILO_KAFKA_SASL: 'scram-sha-512',
      HILO_KAFKA_USERNAME: USER.name,
      HILO_KAFKA_PASSWORD: 'wrong',
      HILO_EVENT_STORE_URL: eventStore.url(),
      HILO_READ_MODEL_URL: url,
      HILO_MASTER_KEY: randomBytes(32).toString('base64'),
      HILO_PEPPER: pepper.toString('base64'),
    };
    expect(await hiloWith({ dataDir: env.HILO_DATA_DIR, env }, 'schema', 'ensure')).toMatchObject({ code: 0 });
    for (const name of ['ingest', 'recorder'] as const) {
      const program = ProgramProcess.spawn(name, { ...env, HILO_DATA_DIR: temporaryDirectory() });
      expect((await program.exited).code).toBe(1);
      expect(program.stderr).toContain('mend HILO_KAFKA_USERNAME or HILO_KAFKA_PASSWORD');
    }

    ProgramProcess.spawn('projector', { ...env, HILO_DATA_DIR: temporaryDirectory() });
    const api = ProgramProcess.spawn('timeline-api', env);
    await eventually(async () => expect(await api.readiness()).toMatchObject({ status: 200, body: { status: 'ok' } }));
    const keys = await PostgresApiKeys.open({ url, clock: new SystemClock() });
    const { key } = await keys.create({ tenant: 'demo', role: 'integration' });
    await keys.close();
    const receipt = new IdFactory(pepper).interaction('demo', 'chat', 'web', randomUUID());
    const answer = await new HubClient(await api.url(), key).get(`/v1/receipts/${receipt}`);
    expect(answer).toMatchObject({ status: 503, body: { code: 'RECEIPT.NOT_KNOWN_YET' } });
    expect(api.stderr).toContain('mend HILO_KAFKA_USERNAME or HILO_KAFKA_PASSWORD');
    expect(await api.readiness()).toMatchObject({ status: 200 });
  });
});
