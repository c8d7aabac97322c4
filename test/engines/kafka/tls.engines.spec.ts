import { randomUUID } from 'node:crypto';
import { messageOf } from '#libs/bus/interaction-bus.contract.js';
import { KafkaWatch } from '#libs/bus/kafka/kafka.watch.js';
import { silentLogger } from '#libs/kernel/logging.js';
import { HubProcess, cleanUp, hiloWith, temporaryDirectory } from '../../e2e/hub-process.js';
import { eventually, within } from '../../e2e/waiting.js';
import { KafkaBroker } from './broker.js';
import { USER } from './broker-settings.js';
import { KafkaInstallation, Recorder } from './kafka-bus.js';

jest.setTimeout(240_000);

type Env = Readonly<Record<string, string>>;

/** Longer than a start may look for brokers, on a busy machine. */
const ENDED_MS = 60_000;

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.startOwn({ secure: true });
});
afterEach(cleanUp);
afterAll(() => broker?.stop());

const trusting = (authority: string): Env => ({ HILO_KAFKA_TLS: 'true', HILO_KAFKA_CA_FILE: authority });
const login = (mechanism: string, password: string = USER.password): Env => ({
  HILO_KAFKA_SASL: mechanism,
  HILO_KAFKA_USERNAME: USER.name,
  HILO_KAFKA_PASSWORD: password,
});
/** All that is right at the listener that asks for a login. */
const right = (mechanism = 'scram-sha-512'): Env => ({
  HILO_BUS_URL: broker.secureUrls.sasl,
  ...trusting(broker.certificates.authority),
  ...login(mechanism),
});
/** All that is right at the listener that asks for a certificate. */
const certified = (): Env => ({
  HILO_BUS_URL: broker.secureUrls.mutual,
  ...trusting(broker.certificates.authority),
  HILO_KAFKA_CERT_FILE: broker.certificates.client.certificate,
  HILO_KAFKA_KEY_FILE: broker.certificates.client.key,
});
const without = (env: Env, ...names: string[]): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

const installation = (env: Env) => ({
  dataDir: temporaryDirectory(),
  env: {
    HILO_KAFKA_TOPIC_PREFIX: `tls-${randomUUID()}`,
    HILO_KAFKA_REPLICATION: '1',
    HILO_KAFKA_MIN_INSYNC: '1',
    HILO_KAFKA_SESSION_SECONDS: '6',
    HILO_LOG_LEVEL: 'fatal',
    ...env,
  },
});

describe('Kafka over TLS', () => {
  it.each<[string, () => Env]>([
    ['a login by PLAIN', () => right('plain')],
    ['a login by SCRAM-SHA-256', () => right('scram-sha-256')],
    ['a login by SCRAM-SHA-512', () => right('scram-sha-512')],
    ['a certificate of the hub', certified],
  ])('carries messages in order, with %s', async (_, env) => {
    const bus = await (await new KafkaInstallation(broker, env()).ensure()).open();
    const recorder = new Recorder();
    bus.consume(recorder.handler('hub'));
    for (const i of [0, 1, 2, 3]) await bus.publish([messageOf('k', i)]);
    await eventually(() =>
      expect(recorder.messages().map(({ receipt }) => receipt)).toEqual(['k-0', 'k-1', 'k-2', 'k-3']),
    );
    await eventually(async () => expect(await bus.backlog()).toBe(0));
    await bus.close();
  });

  it('serves a hub whose topics the command line has made', async () => {
    const options = installation(right());
    expect(await hiloWith(options, 'topics', 'ensure')).toMatchObject({ code: 0, stderr: '' });
    const hub = await HubProcess.start(options);
    const api = await hub.client('integration');
    const [taken] = await api.take({
      channel: 'chat',
      account: 'web',
      externalId: 'm-1',
      kind: 'message',
      threadId: 't-1',
      occurredAt: '2026-01-06T09:00:00Z',
      customer: { identifiers: [{ type: 'email', value: 'ana@example.com' }] },
      text: 'Where is my parcel?',
    });
    expect(taken).toMatchObject({ status: 'accepted' });
    await eventually(async () => expect(await api.receipt(taken!.receipt!)).toMatchObject({ status: 'recorded' }));
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('the command line and a hub that Kafka does not let in', () => {
  it.each<[string, () => Env, string]>([
    ['a wrong password', () => ({ ...right(), ...login('scram-sha-512', 'wrong') }), 'mend HILO_KAFKA_USERNAME or HILO_KAFKA_PASSWORD'],
    ['a wrong password by PLAIN', () => ({ ...right(), ...login('plain', 'wrong') }), 'mend HILO_KAFKA_USERNAME or HILO_KAFKA_PASSWORD'],
    ['no authority', () => without(right(), 'HILO_KAFKA_CA_FILE'), 'HILO_KAFKA_CA_FILE must hold the authority'],
    ['the authority of others', () => ({ ...right(), ...trusting(broker.certificates.stranger) }), 'HILO_KAFKA_CA_FILE must hold the authority'],
    ['a name that the certificate does not have', () => ({ ...right(), HILO_BUS_URL: right()['HILO_BUS_URL']!.replace('127.0.0.1', 'localhost') }), 'HILO_BUS_URL'],
    ['no TLS', () => without(right(), 'HILO_KAFKA_TLS', 'HILO_KAFKA_CA_FILE'), 'this port may want TLS (HILO_KAFKA_TLS=true)'],
    ['no login', () => without(right(), 'HILO_KAFKA_SASL', 'HILO_KAFKA_USERNAME', 'HILO_KAFKA_PASSWORD'), 'this port may want a login (HILO_KAFKA_SASL)'],
    ['TLS on the plain port', () => ({ ...right(), HILO_BUS_URL: broker.url }), 'set HILO_KAFKA_TLS=false'],
    ['a login that nobody asked for', () => ({ ...certified(), ...login('plain') }), 'unset HILO_KAFKA_SASL'],
    ['no certificate', () => without(certified(), 'HILO_KAFKA_CERT_FILE', 'HILO_KAFKA_KEY_FILE'), 'HILO_KAFKA_CERT_FILE and HILO_KAFKA_KEY_FILE must hold a certificate'],
  ])('say what to mend, and end: %s', async (_, env, mend) => {
    const options = installation(env());
    const hub = HubProcess.spawn(options);
    const [ensured, exit] = await Promise.all([
      within(hiloWith(options, 'topics', 'ensure'), 'the command line to end', ENDED_MS),
      within(hub.exited, 'the hub to end', ENDED_MS),
    ]);
    expect({ ensured: ensured.code, hub: exit.code }).toEqual({ ensured: 1, hub: 1 });
    for (const said of [ensured.stderr, hub.stderr]) {
      expect(said.trim().split('\n')).toHaveLength(1);
      expect(said).toContain(mend);
      expect(said).not.toContain(USER.password);
    }
  }); // prettier-ignore

  it('say so where a program starts without the brokers, and asks them later', async () => {
    const { settings } = new KafkaInstallation(broker, { ...right(), ...login('scram-sha-512', 'wrong') });
    const watch = new KafkaWatch(settings, silentLogger());
    for (let time = 0; time < 2; time++)
      await expect(watch.handledSoFar(100)).rejects.toMatchObject({
        code: 'BUS.UNAVAILABLE',
        message: expect.stringContaining('HILO_KAFKA_PASSWORD') as unknown,
      });
    await watch.close();
  });
});
