import type { Admin, Kafka, Producer } from 'kafkajs';
import { HubError, LruMap, messageOf } from '#libs/kernel';
import type { Logger } from '#libs/kernel/logging.js';
import {
  InteractionBus,
  type BusConsumer,
  type BusMessage,
  type ConsumeBatch,
  type DeliveryOutcome,
} from '../interaction-bus.port.js';
import { withDeadline } from './deadline.js';
import { kafkaClient, kafkaNames, type KafkaNames, type KafkaSettings } from './kafka.client.js';
import { KafkaConsumer, type ReadForeign } from './kafka.consumer.js';
import { DeadLetters, type ParkDeadLetter } from './kafka.dead-letters.js';
import { busUnavailable, fromClient } from './kafka.errors.js';
import { KafkaHandled } from './kafka.handled.js';
import { KafkaLag } from './kafka.lag.js';
import type { MessageSeal } from './kafka.message.js';
import { KafkaPublisher } from './kafka.publisher.js';
import { requireTopics, retentionMsOf, wantedTopics } from './kafka.topics.js';

/** What the bus needs of the rooms around it. */
export interface KafkaBusNeeds {
  seal: MessageSeal;
  /** A keyed hash: what a bus key is made of must not be told from it. */
  hashKey: (busKey: string) => string;
  readForeign: ReadForeign;
  park: ParkDeadLetter;
  /** Hears that consuming has ended for good: the program should end with it. */
  onFailure: (error: HubError) => void;
  logger: Logger;
}

/** So many of the last accepted receipts are told from unknown ones. */
const ACCEPTED_KNOWN = 20_000;
const OPEN_MS = 20_000;
const CLOSE_MS = 5000;
const END_KEYS_EVERY_MS = 6 * 3_600_000;
// A send is tried for about half a minute; its caller has heard long before.
const SEND_RETRY = { retries: 8, maxRetryTime: 5000 };

/**
 * Apache Kafka as the bus. `publish` resolves with `accepted` when the topic holds the messages in as many copies as it
 * demands; recording them is the work of whatever program consumes. Partitions keep keys in order, and the consumer
 * group hands a message over again until its offset is committed.
 */
export class KafkaInteractionBus extends InteractionBus {
  private consumer: KafkaConsumer | undefined;
  /** Tenants by receipt. What is recorded meanwhile stays in it until newer ones push it out: the store is asked first. */
  private readonly accepted = new LruMap<string, string>(ACCEPTED_KNOWN);
  private readonly handled: KafkaHandled;
  private readonly endKeys: NodeJS.Timeout;

  private constructor(
    private readonly kafka: Kafka,
    private readonly names: KafkaNames,
    private readonly producer: Producer,
    private readonly admin: Admin,
    private readonly publisher: KafkaPublisher,
    private readonly deadLetters: DeadLetters,
    private readonly lag: KafkaLag,
    private readonly needs: KafkaBusNeeds,
    private readonly settings: KafkaSettings,
  ) {
    super();
    this.handled = new KafkaHandled(() => Promise.resolve(admin), names.group, names.interactions);
    const endOld = (): void => {
      needs.seal.endBefore(retentionMsOf(settings)).catch((error: unknown) => {
        needs.logger.warn(`keys of the bus could not be ended: ${messageOf(error)}`);
      });
    };
    endOld();
    this.endKeys = setInterval(endOld, END_KEYS_EVERY_MS).unref();
  }

  /**
   * Connects, and looks whether the topics are there.
   * @throws HubError `SETTINGS.INVALID`, `BUS.UNAVAILABLE`, `BUS.TOPICS_MISSING`
   */
  static async open(settings: KafkaSettings, needs: KafkaBusNeeds): Promise<KafkaInteractionBus> {
    const kafka = kafkaClient(settings, needs.logger);
    const names = kafkaNames(settings);
    const admin = kafka.admin();
    const producer = kafka.producer({ idempotent: false, allowAutoTopicCreation: false, retry: SEND_RETRY });
    const connect = async (): Promise<void> => {
      await admin.connect();
      await requireTopics(admin, wantedTopics(settings));
      await producer.connect();
    };
    try {
      await withDeadline(OPEN_MS, connect(), () => busUnavailable(`${settings.busUrl} within ${OPEN_MS} ms`));
    } catch (error) {
      await disconnect(producer, admin);
      throw error instanceof HubError ? error : fromClient(error, settings);
    }
    const { seal, hashKey, park } = needs;
    const publisher = new KafkaPublisher(producer, {
      topic: names.interactions,
      seal,
      hashKey,
      capacity: settings.busCapacity,
      deadlineMs: settings.kafkaSendDeadlineMs,
    });
    const deadLetters = new DeadLetters(producer, { topic: names.deadLetters, seal, park });
    const lag = new KafkaLag(admin, names.group, [names.interactions, ...names.inbound.keys()]);
    return new KafkaInteractionBus(kafka, names, producer, admin, publisher, deadLetters, lag, needs, settings);
  }

  async publish(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]> {
    const outcomes = await this.publisher.publish(messages);
    for (const message of messages) this.accepted.set(message.receipt, tenantOf(message));
    return outcomes;
  }

  consume(handle: ConsumeBatch): BusConsumer {
    if (this.consumer) throw new HubError('BUS.CONSUMED', 'the bus of a program has one consumer');
    const { seal, readForeign, onFailure, logger } = this.needs;
    const consumer = new KafkaConsumer(this.kafka, this.deadLetters, {
      names: this.names,
      seal,
      readForeign,
      handle,
      onFailure,
      logger,
      sessionMs: this.settings.kafkaSessionSeconds * 1000,
    });
    this.consumer = consumer;
    consumer.start();
    return {
      stop: async () => {
        await consumer.stop();
        if (this.consumer === consumer) this.consumer = undefined;
      },
    };
  }

  inFlight(): number {
    return this.publisher.inFlight();
  }

  waitingFor(receipt: string): string | undefined {
    return this.accepted.get(receipt);
  }

  handledSoFar(withinMs: number): Promise<boolean> {
    return this.handled.soFar(withinMs);
  }

  async backlog(): Promise<number> {
    return this.publisher.inFlight() + (await this.lag.read());
  }

  /** Sends what it took, records the running chunk, and leaves; what lies on the topics waits for the next recorder. */
  async close(): Promise<void> {
    clearInterval(this.endKeys);
    const sent = this.publisher.close();
    await withDeadline(CLOSE_MS, sent, () => busUnavailable('sends are under way')).catch(() => undefined);
    await this.consumer?.stop();
    this.consumer = undefined;
    await disconnect(this.producer, this.admin);
  }
}

const tenantOf = (message: BusMessage): string =>
  message.type === 'interaction' ? message.interaction.tenant : message.profile.tenant;

const disconnect = async (...clients: readonly (Producer | Admin)[]): Promise<void> => {
  const closing = Promise.allSettled(clients.map((client) => client.disconnect()));
  await withDeadline(CLOSE_MS, closing, () => busUnavailable('it does not let go')).catch(() => undefined);
};
