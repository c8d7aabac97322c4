import { randomBytes } from 'node:crypto';
import kafkajs, { type Message } from 'kafkajs';
import type { BusMessage, InteractionBus } from '#libs/bus';
import { kafkaClient, kafkaNames, type KafkaSettings } from '#libs/bus/kafka/kafka.client.js';
import { KafkaInteractionBus } from '#libs/bus/kafka/kafka.interaction-bus.js';
import { outgoingOf, sealed } from '#libs/bus/kafka/kafka.message.js';
import { IdFactory, SystemClock } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { readSettings } from '#libs/kernel/settings.js';
import { BusSeal } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { answer } from '../job.js';
import { perSecond } from '../load/batches.js';
import { inBatches, makeTopics, messagesOf } from './publishing.js';

export interface KafkaLoad {
  /** `kafka://host:port` */
  url: string;
  /** Of the topics of this run. */
  prefix: string;
  messages: number;
  customers: number;
  /** Through our bus, or by kafkajs alone with the same messages. */
  ours: boolean;
}

/** Messages a second. */
export interface KafkaRates {
  publish: number;
  consume: number;
}

const ids = new IdFactory(randomBytes(32));
const clock = new SystemClock();
const seal = new BusSeal(new MemoryKeyVault(), clock);
const hashKey = (key: string): string => ids.digest(key);

const contactsOf = ({ messages, customers }: KafkaLoad): Iterable<BusMessage[]> =>
  messagesOf({ contacts: messages, customers, load: 'kafka' }, { tenant: 'bench', ids, clock });

/** Counts from the first message to the last. */
class Arrivals {
  private count = 0;
  private firstAt = 0;
  private done: () => void = () => undefined;
  readonly all = new Promise<void>((resolve) => (this.done = resolve));

  constructor(private readonly expected: number) {}

  add(messages: number): void {
    if (this.count === 0) this.firstAt = performance.now();
    this.count += messages;
    if (this.count >= this.expected) this.done();
  }

  rate(): number {
    return perSecond(this.count, performance.now() - this.firstAt);
  }
}

const ourRates = async (load: KafkaLoad, settings: KafkaSettings): Promise<KafkaRates> => {
  const bus: InteractionBus = await KafkaInteractionBus.open(settings, {
    seal,
    hashKey,
    readForeign: () => ({ problem: 'nothing foreign here' }),
    park: () => Promise.resolve(),
    onFailure: (error) => {
      throw error;
    },
    logger: silentLogger(),
  });
  const publish = await inBatches(contactsOf(load), (batch) => bus.publish(batch));
  const arrivals = new Arrivals(load.messages);
  bus.consume(async (messages) => {
    arrivals.add(messages.length);
    return messages.map(({ receipt }) => ({ status: 'recorded', receipt }));
  });
  await arrivals.all;
  const consume = arrivals.rate();
  await bus.close();
  return { publish, consume };
};

/** The same messages, made beforehand; nothing is opened when they come back. */
const plainRates = async (load: KafkaLoad, settings: KafkaSettings): Promise<KafkaRates> => {
  const kafka = kafkaClient(settings, silentLogger());
  const topic = kafkaNames(settings).interactions;
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const sealNow = await seal.now();
  const prepared = function* (): Generator<Message[]> {
    for (const portion of contactsOf(load))
      yield portion.map((message) => sealed(outgoingOf(message, hashKey), sealNow));
  };
  const publish = await inBatches(prepared(), (messages) =>
    producer.send({ topic, acks: -1, messages: [...messages] }),
  );
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: 'plain', maxWaitTimeInMs: 500 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const arrivals = new Arrivals(load.messages);
  await consumer.run({ eachBatch: async ({ batch }) => arrivals.add(batch.messages.length) });
  await arrivals.all;
  const consume = arrivals.rate();
  await consumer.disconnect();
  return { publish, consume };
};

answer(async (load: KafkaLoad): Promise<KafkaRates> => {
  const settings = readSettings({
    HILO_BUS_URL: load.url,
    HILO_KAFKA_TOPIC_PREFIX: load.prefix,
    HILO_KAFKA_REPLICATION: '1',
    HILO_KAFKA_MIN_INSYNC: '1',
  });
  await makeTopics(settings);
  return load.ours ? ourRates(load, settings) : plainRates(load, settings);
});
