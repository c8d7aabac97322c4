import type { Message, Producer, ProducerRecord } from 'kafkajs';
import { codeOf } from '#libs/kernel';
import { messageOf, outcomesOf } from '../interaction-bus.contract.js';
import type { BusMessage } from '../interaction-bus.port.js';
import { KafkaPublisher, type KafkaPublisherOptions } from './kafka.publisher.js';

/** A producer whose sends end when the test says so. */
class HeldProducer {
  readonly sends: { messages: Message[]; settle: (failure?: Error) => void }[] = [];

  send({ messages }: ProducerRecord): Promise<[]> {
    return new Promise((resolve, reject) => {
      this.sends.push({ messages, settle: (failure) => (failure ? reject(failure) : resolve([])) });
    });
  }

  /** Lets everything that is sent go through, until nothing more comes. */
  async settleAll(): Promise<void> {
    for (let i = 0; i < this.sends.length; i++) {
      this.sends[i]!.settle();
      await turns();
    }
  }

  idsOf(send: number): unknown[] {
    return this.sends[send]!.messages.map(({ value }) => (JSON.parse(String(value)) as { id: string }).id);
  }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resume) => setImmediate(resume));
};

const publisherOver = (producer: HeldProducer, more: Partial<KafkaPublisherOptions> = {}): KafkaPublisher =>
  new KafkaPublisher(producer as unknown as Producer, {
    topic: 't',
    seal: { now: () => Promise.resolve((_bound, plain) => Buffer.from(plain)) },
    hashKey: (key) => key,
    capacity: 1000,
    deadlineMs: 60_000,
    ...more,
  });

const numbered = (thread: string, count: number): BusMessage[] =>
  Array.from({ length: count }, (_, i) => messageOf(thread, i));

describe('KafkaPublisher', () => {
  it('has one send of a key under way, and sends what waits meanwhile together', async () => {
    const producer = new HeldProducer();
    const publisher = publisherOver(producer);
    const first = publisher.publish([messageOf('a', 0)]);
    await turns();
    const later = [1, 2, 3].map((i) => publisher.publish([messageOf('a', i)]));
    await turns();
    expect(producer.sends).toHaveLength(1);
    producer.sends[0]!.settle();
    expect(await first).toEqual(outcomesOf([messageOf('a', 0)], 'accepted'));
    await turns();
    expect(producer.idsOf(1)).toEqual(['a-1', 'a-2', 'a-3']);
    await producer.settleAll();
    expect(await Promise.all(later)).toHaveLength(3);
    expect(publisher.inFlight()).toBe(0);
  });

  it('does not let one key wait for all others', async () => {
    const producer = new HeldProducer();
    const publisher = publisherOver(producer);
    for (let i = 0; i < 20; i++) void publisher.publish([messageOf(`thread ${i}`, 0)]);
    await turns();
    expect(producer.sends.length).toBeGreaterThan(1);
    await producer.settleAll();
    await publisher.close();
  });

  it('gives up after its deadline, and sends nothing of that key before the end of the send is known', async () => {
    const producer = new HeldProducer();
    const publisher = publisherOver(producer, { deadlineMs: 20 });
    const first = publisher.publish([messageOf('a', 0)]).catch(codeOf);
    await turns();
    const second = publisher.publish([messageOf('a', 1)]).catch(codeOf);
    expect([await first, await second]).toEqual(['BUS.UNAVAILABLE', 'BUS.UNAVAILABLE']);
    expect(producer.sends).toHaveLength(1);
    expect(publisher.inFlight()).toBe(1);
    const third = publisher.publish([messageOf('a', 2)]);
    await turns();
    expect(producer.sends).toHaveLength(1);
    producer.sends[0]!.settle();
    await turns();
    // The second was given up before it went out, and goes out no more.
    expect(producer.idsOf(1)).toEqual(['a-2']);
    await producer.settleAll();
    expect(await third).toHaveLength(1);
  });

  it('refuses the publishes of a send that failed, and those only', async () => {
    const producer = new HeldProducer();
    const publisher = publisherOver(producer);
    const failed = publisher.publish([messageOf('a', 0)]).catch(codeOf);
    await turns();
    const good = publisher.publish([messageOf('a', 1)]);
    producer.sends[0]!.settle(new Error('NOT_ENOUGH_REPLICAS'));
    expect(await failed).toBe('BUS.UNAVAILABLE');
    await turns();
    producer.sends[1]!.settle();
    expect(await good).toHaveLength(1);
  });

  it('keeps a send below what a broker takes for one partition', async () => {
    const producer = new HeldProducer();
    const publisher = publisherOver(producer);
    const messages = numbered('a', 12);
    for (const message of messages)
      if (message.type === 'interaction') message.interaction.text = 'x'.repeat(200 * 1024);
    const published = publisher.publish(messages);
    await turns();
    await producer.settleAll();
    expect(await published).toHaveLength(12);
    expect(producer.sends.map(({ messages: sent }) => sent.length)).toEqual([3, 3, 3, 3]);
  });

  it('refuses what is too much, whole, by number and by size', async () => {
    const producer = new HeldProducer();
    const publisher = publisherOver(producer, { capacity: 10, capacityBytes: 10_000 });
    const waiting = publisher.publish(numbered('a', 8));
    expect(await publisher.publish(numbered('b', 3)).catch(codeOf)).toBe('BUS.FULL');
    const large = messageOf('b', 1);
    if (large.type === 'interaction') large.interaction.text = 'x'.repeat(10_000);
    expect(await publisher.publish([large]).catch(codeOf)).toBe('BUS.FULL');
    expect(publisher.inFlight()).toBe(8);
    await turns();
    await producer.settleAll();
    await waiting;
    const alone = publisher.publish([large]);
    await turns();
    await producer.settleAll();
    expect(await alone).toHaveLength(1);
  });

  it('rejects while no key can be had to seal with, and sends nothing in clear', async () => {
    const producer = new HeldProducer();
    const unavailable = Object.assign(new Error('no space'), { code: 'EVENT_STORE.UNAVAILABLE', retryable: true });
    const publisher = publisherOver(producer, { seal: { now: () => Promise.reject(unavailable) } });
    expect(await publisher.publish([messageOf('a', 0)]).catch(codeOf)).toBeDefined();
    expect(producer.sends).toEqual([]);
  });
});
