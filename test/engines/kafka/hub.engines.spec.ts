import { randomUUID } from 'node:crypto';
import { HubProcess, cleanUp, hiloWith, temporaryDirectory } from '../../e2e/hub-process.js';
import { eventually } from '../../e2e/waiting.js';
import { KafkaBroker } from './broker.js';
import { post, KCAT } from './kcat.js';

jest.setTimeout(240_000);

const contact = (n: number, more: object = {}) => ({
  channel: 'chat',
  account: 'web',
  externalId: `m-${n}`,
  kind: 'message',
  threadId: `t-${n % 7}`,
  occurredAt: new Date(Date.UTC(2026, 0, 6, 9) + n * 60_000).toISOString(),
  customer: { identifiers: [{ type: 'email', value: `person${n % 20}@example.com` }] },
  text: `Message ${n}`,
  ...more,
});

const metricOf = async (hub: HubProcess, name: string): Promise<number> => {
  const text = await (await fetch(`${await hub.url()}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.startOwn();
});
afterEach(cleanUp);
afterAll(() => broker.stop());

const installation = () => {
  const prefix = `hub-${randomUUID()}`;
  const env = {
    HILO_BUS_URL: broker.url,
    HILO_KAFKA_TOPIC_PREFIX: prefix,
    HILO_KAFKA_TENANTS: 'demo',
    HILO_KAFKA_REPLICATION: '1',
    HILO_KAFKA_MIN_INSYNC: '1',
    HILO_KAFKA_SESSION_SECONDS: '6',
  };
  return { prefix, options: { dataDir: temporaryDirectory(), env } };
};

describe('a hub on Kafka', () => {
  it('has its topics made by the command line, once, and says what it cannot change', async () => {
    const { prefix, options } = installation();
    const ensure = (env: Record<string, string> = {}) =>
      hiloWith({ ...options, env: { ...options.env, ...env } }, 'topics', 'ensure', '--json');
    const states = (stdout: string) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { topic: string; state: string })
        .map(({ topic, state }) => [topic.slice(prefix.length + 1), state]);
    const topics = ['interactions', 'inbound.demo', 'dead-letters'];
    const early = HubProcess.spawn(options);
    expect((await early.exited).code).toBe(1);
    expect(early.stderr).toContain('run: hilo topics ensure');

    const first = await ensure();
    expect({ code: first.code, states: states(first.stdout) }).toEqual({
      code: 0,
      states: topics.map((topic) => [topic, 'created']),
    });
    expect(states((await ensure()).stdout)).toEqual(topics.map((topic) => [topic, 'unchanged']));
    expect(states((await ensure({ HILO_KAFKA_RETENTION_HOURS: '24' })).stdout)).toEqual(
      topics.map((topic) => [topic, 'changed']),
    );
    const other = await ensure({ HILO_KAFKA_RETENTION_HOURS: '24', HILO_KAFKA_PARTITIONS: '5' });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('it has 12 partitions, HILO_KAFKA_PARTITIONS is 5');
  });

  it('answers accepted, records each contact once, and again nothing twice after a crash', async () => {
    const { options } = installation();
    await hiloWith(options, 'topics', 'ensure');
    let hub = await HubProcess.start(options);
    const api = await hub.client('integration');
    const all = Array.from({ length: 400 }, (_, n) => contact(n));
    const taken = await api.take(all.slice(0, 200));
    expect(new Set(taken.map(({ status }) => status))).toEqual(new Set(['accepted']));
    const receipts = taken.map(({ receipt }) => receipt!);
    await api.take(all.slice(0, 50));
    await api.take(all.slice(200));
    await hub.kill();

    hub = await HubProcess.start(options);
    const again = await hub.client('integration');
    await eventually(async () => expect(await metricOf(hub, 'hilo_bus_in_flight')).toBe(0));
    for (const receipt of receipts) expect(await again.receipt(receipt)).toMatchObject({ status: 'recorded' });
    const agent = await hub.client('agent');
    const { id } = await eventually(() => agent.customer('email:person3@example.com'));
    await eventually(async () => {
      const { items } = await agent.timeline(id, { limit: 100 });
      expect(items).toHaveLength(20);
    });
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
    const books = await hiloWith(options, 'reconcile');
    expect(books).toMatchObject({ code: 0, stderr: expect.stringContaining('everything adds up') as unknown });
  });

  it('tells by the receipt that a contact is accepted, then recorded', async () => {
    const { options } = installation();
    await hiloWith(options, 'topics', 'ensure');
    const hub = await HubProcess.start(options);
    const api = await hub.client('integration');
    const [first] = await api.take(contact(1));
    const early = await api.receipt(first!.receipt!);
    expect(['accepted', 'recorded']).toContain(early.status);
    await eventually(async () => expect(await api.receipt(first!.receipt!)).toMatchObject({ status: 'recorded' }));
    expect((await api.get(`/v1/receipts/${randomUUID()}`)).status).toBe(404);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });

  it('answers 503 while the brokers are gone, and records what it is sent afterwards', async () => {
    const { options } = installation();
    await hiloWith(options, 'topics', 'ensure');
    const hub = await HubProcess.start({
      ...options,
      env: { ...options.env, HILO_KAFKA_SEND_DEADLINE_MS: '500', HILO_LOG_LEVEL: 'fatal' },
    });
    const api = await hub.client('integration');
    await broker.kill();
    try {
      const refused = await api.post('/v1/interactions', contact(1));
      expect({ status: refused.status, retry: refused.headers.get('retry-after') }).toEqual({
        status: 503,
        retry: '1',
      });
      expect(await metricOf(hub, 'hilo_bus_in_flight')).toBeNaN();
    } finally {
      await broker.run();
    }
    const [result] = await eventually(() => api.take(contact(1)));
    await eventually(async () => expect(await api.receipt(result!.receipt!)).toMatchObject({ status: 'recorded' }));
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });
});

const lacking = KCAT === undefined ? ' (skipped: this machine has no kcat; apt-get install kcat)' : '';

(lacking ? describe.skip : describe)(`a hub on Kafka and a client that knows nothing of it${lacking}`, () => {
  it('shows a CloudEvent of another producer on the timeline, and parks what is none', async () => {
    const { prefix, options } = installation();
    await hiloWith(options, 'topics', 'ensure');
    const hub = await HubProcess.start(options);
    const event = { specversion: '1.0', id: 'e-1', source: '/shop', type: 'com.example.chat', data: contact(3) };
    await post(broker, `${prefix}.inbound.demo`, JSON.stringify(event));
    await post(broker, `${prefix}.inbound.demo`, 'no event');
    const agent = await hub.client('agent');
    const { id } = await eventually(() => agent.customer('email:person3@example.com'));
    await eventually(async () => expect((await agent.timeline(id)).items).toHaveLength(1));
    await eventually(async () => {
      const { stdout } = await hiloWith(options, 'parked', 'list');
      expect(stdout).toMatch(/demo +kafka .*BUS\.UNREADABLE/);
    });
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });
});
