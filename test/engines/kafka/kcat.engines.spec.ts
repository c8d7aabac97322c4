import type { InteractionBus } from '#libs/bus';
import { messageOf, recordedOf } from '#libs/bus/interaction-bus.contract.js';
import { kafkaNames } from '#libs/bus/kafka/kafka.client.js';
import { HubError } from '#libs/kernel';
import { eventually } from '../../e2e/waiting.js';
import { ranAgainst } from '../ran-against.js';
import { KafkaBroker } from './broker.js';
import { KafkaInstallation, Recorder } from './kafka-bus.js';
import { KCAT, post, readAll } from './kcat.js';

jest.setTimeout(120_000);

const data = {
  channel: 'chat',
  account: 'web',
  kind: 'message',
  text: 'Where is my parcel?',
  customer: { identifiers: [{ type: 'email', value: 'ana@example.com' }] },
};
const event = (id: string, more: object = {}) => ({
  specversion: '1.0',
  id,
  source: '/shop/chat',
  type: 'com.example.chat.message',
  time: '2026-01-02T09:59:00Z',
  datacontenttype: 'application/json',
  data,
  ...more,
});

const lacking = KCAT === undefined ? ' (skipped: this machine has no kcat; apt-get install kcat)' : '';

(lacking ? describe.skip : describe)(`kcat, a client that knows nothing of us${lacking}`, () => {
  let broker: KafkaBroker;
  let installation: KafkaInstallation;
  let bus: InteractionBus;
  let recorder: Recorder;
  const inbound = () => [...kafkaNames(installation.settings).inbound.keys()][0]!;

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    ranAgainst(`kcat (${KCAT})`);
  });
  beforeEach(async () => {
    installation = await new KafkaInstallation(broker, { HILO_KAFKA_TENANTS: 'acme' }).ensure();
    recorder = new Recorder();
    bus = await installation.open();
  });
  afterEach(() => bus.close());
  afterAll(() => broker.stop());

  it('posts CloudEvents in structured and in binary mode, which are recorded for the tenant of the topic', async () => {
    bus.consume(recorder.handler('hub'));
    await post(broker, inbound(), JSON.stringify(event('e-1')), {
      headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
    });
    await post(broker, inbound(), JSON.stringify(event('e-2')));
    await post(broker, inbound(), JSON.stringify(data), {
      key: 'any',
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: 'e-3',
        ce_source: '/shop/chat',
        ce_type: 'com.example.chat.message',
        ce_time: '2026-01-02T09:59:00Z',
      },
    });
    await eventually(() => expect(recorder.messages()).toHaveLength(3));
    const { ids } = installation;
    expect(recorder.receipts()).toEqual(
      new Set(['e-1', 'e-2', 'e-3'].map((id) => ids.interaction('acme', 'chat', 'web', id))),
    );
    for (const message of recorder.messages())
      expect(message).toMatchObject({ type: 'interaction', interaction: { tenant: 'acme', text: data.text } });
    await eventually(async () => expect(await bus.backlog()).toBe(0));
    expect(installation.parked).toEqual([]);
  });

  it('reads what Hilo publishes: the envelope of a CloudEvent, and nothing personal', async () => {
    const message = messageOf('thread-of-ana@example.com', 1);
    if (message.type === 'interaction') message.interaction.text = 'canary text';
    message.receipt = installation.ids.interaction('acme', 'chat', 'web', 'x');
    await bus.publish([message]);
    const [seen, ...more] = await readAll(broker, kafkaNames(installation.settings).interactions);
    expect(more).toEqual([]);
    expect(seen!.headers).toEqual({ 'content-type': 'application/cloudevents+json' });
    expect(JSON.parse(seen!.payload)).toEqual({
      specversion: '1.0',
      id: message.receipt,
      source: '/tenants/acme/channels/chat/accounts/web',
      type: 'hilo.interaction.v1',
      time: '2025-03-02T09:15:30.000Z',
      datacontenttype: 'application/vnd.hilo.sealed',
      data_base64: expect.any(String) as unknown,
    });
    expect(seen!.key).toMatch(/^[\w-]{16}$/);
    expect(JSON.stringify(seen)).not.toMatch(/ana@example|canary/);
  });

  it('posts what cannot be understood: it is parked and copied to the dead letters, and its partition goes on', async () => {
    const { interactions, deadLetters } = kafkaNames(installation.settings);
    bus.consume(recorder.handler('hub'));
    const bad = JSON.stringify(event('bad', { data: { ...data, kind: 'shout' } }));
    await post(broker, inbound(), bad, { key: 'ana@example.com', headers: { ce_canary: 'ana@example.com' } });
    await post(broker, inbound(), '{ canary', { key: 'k' });
    await post(broker, interactions, JSON.stringify(event('forged')), { key: 'k' });
    await post(broker, inbound(), JSON.stringify(event('good')), { key: 'k' });
    await eventually(() => expect(recorder.messages()).toHaveLength(1));
    await eventually(async () => expect(await bus.backlog()).toBe(0));
    const parked = installation.parked.toSorted((a, b) => a.reason.localeCompare(b.reason));
    expect(parked).toMatchObject([
      { reasonCode: 'BUS.UNREADABLE', tenant: 'acme', reason: expect.stringContaining('$.data.kind') as unknown },
      { reasonCode: 'BUS.NOT_SEALED', topic: interactions },
      { reasonCode: 'BUS.UNREADABLE', tenant: 'acme', reason: expect.stringContaining('not JSON') as unknown },
    ]);
    expect(parked[0]!.bytes.toString()).toBe(bad);
    const dead = await readAll(broker, deadLetters);
    expect(new Map(dead.map(({ headers }) => [headers['hilo-place'], headers['hilo-reason']]))).toEqual(
      new Map(parked.map((one) => [`${one.topic}/${one.partition}/${one.offset}`, one.reasonCode])),
    );
    expect(JSON.stringify(dead)).not.toMatch(/ana@example|canary|shout/);
  });

  it('makes a dead letter of the one message that the recorder cannot handle, and of no other', async () => {
    const { deadLetters } = kafkaNames(installation.settings);
    const messages = Array.from({ length: 20 }, (_, i) => messageOf('t', i));
    await bus.publish(messages);
    const handled = new Set<string>();
    bus.consume(async (batch) => {
      if (batch.some(({ receipt }) => receipt === 't-7')) throw new HubError('INTAKE.DEFECT', 'cannot');
      for (const { receipt } of batch) handled.add(receipt);
      return recordedOf(batch);
    });
    await eventually(async () => expect(await bus.backlog()).toBe(0));
    expect(handled).toEqual(new Set(messages.map(({ receipt }) => receipt).filter((receipt) => receipt !== 't-7')));
    expect(installation.parked).toMatchObject([{ reasonCode: 'INTAKE.DEFECT', message: { receipt: 't-7' } }]);
    expect((await readAll(broker, deadLetters)).map(({ headers }) => headers['hilo-reason'])).toEqual([
      'INTAKE.DEFECT',
    ]);
  });
});
