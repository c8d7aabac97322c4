import { busKeyOf, type BusMessage, type InteractionBus } from '#libs/bus';
import { messageOf } from '#libs/bus/interaction-bus.contract.js';
import { codeOf, HubError, isRetryable } from '#libs/kernel';
import { busKeyId } from '#libs/privacy';
import { eventually } from '../../e2e/waiting.js';
import { KafkaBroker } from './broker.js';
import { KafkaInstallation, Recorder } from './kafka-bus.js';

jest.setTimeout(180_000);

let broker: KafkaBroker;
const open: InteractionBus[] = [];
const opened = async (installation: KafkaInstallation): Promise<InteractionBus> => {
  const bus = await installation.open();
  open.push(bus);
  return bus;
};

beforeAll(async () => {
  broker = await KafkaBroker.startOwn();
});
afterEach(async () => {
  for (const bus of open.splice(0)) await bus.close();
});
afterAll(() => broker.stop());

/** As whoever posts does: it sends a message again until it is taken, and no later one of its key before. */
const publishUntilTaken = async (bus: InteractionBus, message: BusMessage): Promise<void> => {
  for (;;) {
    try {
      await bus.publish([message]);
      return;
    } catch (error) {
      if (!isRetryable(error)) throw error;
      await new Promise((resume) => setTimeout(resume, 50));
    }
  }
};

const KEYS = 20;
const EACH = 30;

/** `EACH` messages on each of `KEYS` keys, in order key by key, all keys at once. */
const publishAll = (bus: InteractionBus, report: (done: number) => void = () => undefined): Promise<unknown> => {
  let done = 0;
  return Promise.all(
    Array.from({ length: KEYS }, async (_, key) => {
      for (let i = 0; i < EACH; i++) {
        await publishUntilTaken(bus, messageOf(`k${key}`, i));
        report(++done);
      }
    }),
  );
};

/** All are there, and the first time of each comes after those before it on its key. */
const expectAllInOrder = (recorder: Recorder): void => {
  const first = recorder.firstOfEachKey();
  expect(first.size).toBe(KEYS);
  for (const numbers of first.values()) expect(numbers).toEqual(Array.from({ length: EACH }, (_, i) => i));
};

describe('Kafka as the bus', () => {
  it('loses nothing and keeps order when the partitions are divided anew between recorders', async () => {
    const installation = await new KafkaInstallation(broker, { HILO_KAFKA_PARTITIONS: '6' }).ensure();
    const recorder = new Recorder();
    const [one, two] = [await opened(installation), await opened(installation)];
    const first = one.consume(recorder.handler('one', 2));
    let second: ReturnType<InteractionBus['consume']> | undefined;
    await publishAll(one, (done) => {
      if (done === 150) second = two.consume(recorder.handler('two', 2));
    });
    // One may have handled all of them before the partitions are divided: then two has its part of what comes later.
    let later = 0;
    await eventually(async () => {
      await publishUntilTaken(one, messageOf(`later${later++}`, 0));
      expect(recorder.handledBy('two')).toBeGreaterThan(0);
    });
    await first.stop();
    // What one left behind is for two.
    await publishUntilTaken(one, messageOf('last', 0));
    await eventually(() => expect(recorder.receipts().has('last-0')).toBe(true));
    await eventually(async () => expect(await two.backlog()).toBe(0));
    await second!.stop();
    expect(recorder.receipts().size).toBe(KEYS * EACH + later + 1);
    for (const thread of ['last', ...Array.from({ length: later }, (_, n) => `later${n}`)]) recorder.forget(thread);
    expectAllInOrder(recorder);
  });

  it('hands over again what was recorded and not committed', async () => {
    const installation = await new KafkaInstallation(broker).ensure();
    const recorder = new Recorder();
    const one = await opened(installation);
    await publishAll(one);
    const record = recorder.handler('one');
    const consumer = one.consume(async (messages) => {
      await record(messages);
      // The answer of the store is lost, and the program is told to stop before it asks again.
      void consumer.stop();
      throw new HubError('EVENT_STORE.UNAVAILABLE', 'gone', { retryable: true });
    });
    await eventually(() => expect(recorder.handledBy('one')).toBeGreaterThan(0));
    await consumer.stop();
    const before = recorder.receipts().size;
    const two = await opened(installation);
    two.consume(recorder.handler('two'));
    await eventually(async () => expect(await two.backlog()).toBe(0));
    expect(recorder.receipts('two').size).toBe(KEYS * EACH);
    expect(before).toBeGreaterThan(0);
    expectAllInOrder(recorder);
  });

  it('loses nothing and keeps order when the broker goes down in the middle of a stream', async () => {
    const installation = await new KafkaInstallation(broker, { HILO_KAFKA_SEND_DEADLINE_MS: '2000' }).ensure();
    const recorder = new Recorder();
    const bus = await opened(installation);
    bus.consume(recorder.handler('one'));
    let restarted: Promise<void> | undefined;
    await publishAll(bus, (done) => {
      if (done === 200) restarted = broker.kill().then(() => broker.run());
    });
    await restarted;
    await eventually(() => expect(recorder.receipts().size).toBe(KEYS * EACH));
    expectAllInOrder(recorder);
    expect(installation.failures).toEqual([]);
  });

  it('refuses within its deadline while the broker is frozen, and goes on in order afterwards', async () => {
    const installation = await new KafkaInstallation(broker, { HILO_KAFKA_SEND_DEADLINE_MS: '500' }).ensure();
    const recorder = new Recorder();
    const bus = await opened(installation);
    bus.consume(recorder.handler('one'));
    await publishUntilTaken(bus, messageOf('k', 0));
    await eventually(() => expect(recorder.receipts().size).toBe(1));
    await broker.freeze();
    let refused: unknown[];
    try {
      refused = await Promise.all(
        [1, 2, 3].map((i) => bus.publish([messageOf('k', i)]).catch((error: unknown) => error)),
      );
    } finally {
      await broker.thaw();
    }
    expect(refused.map(codeOf)).toEqual(Array.from({ length: 3 }, () => 'BUS.UNAVAILABLE'));
    expect(refused.every(isRetryable)).toBe(true);
    for (const i of [1, 2, 3]) await publishUntilTaken(bus, messageOf('k', i));
    await eventually(() => expect(recorder.receipts().size).toBe(4));
    expect(recorder.firstOfEachKey().get(busKeyOf(messageOf('k', 0)))).toEqual([0, 1, 2, 3]);
    expect(bus.inFlight()).toBe(0);
  });

  it('says what is missing when it is opened without its topics', async () => {
    const installation = new KafkaInstallation(broker);
    await expect(installation.open()).rejects.toMatchObject({
      code: 'BUS.TOPICS_MISSING',
      message: expect.stringContaining('hilo topics ensure') as unknown,
    });
  });

  it('ends the keys of days whose messages the topics keep no more', async () => {
    const installation = await new KafkaInstallation(broker, { HILO_KAFKA_RETENTION_HOURS: '24' }).ensure();
    const [over, kept] = [4, 2].map((days) => busKeyId(Date.now() - days * 24 * 3_600_000));
    await installation.vault.obtain([over!, kept!]);
    await opened(installation);
    await eventually(() => expect(installation.vault.cached(over!)).toBeUndefined());
    expect(installation.vault.cached(kept!)).toBeDefined();
  });

  it('keeps nothing of what was said, and of whom, in clear on the broker', async () => {
    const installation = await new KafkaInstallation(broker).ensure();
    const bus = await opened(installation);
    const message = messageOf('canary-thread', 1);
    if (message.type === 'interaction') {
      message.interaction.text = 'canary text';
      message.interaction.customer = { identifiers: [{ type: 'email', value: 'canary@example.com' }], name: 'Canary' };
    }
    await bus.publish([message]);
    expect(await broker.holds('hilo.interaction.v1')).toBe(true);
    expect(await broker.holds('canary text')).toBe(false);
    expect(await broker.holds('canary@example.com')).toBe(false);
  });
});
