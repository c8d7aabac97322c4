import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import { busKeyOf, type BusMessage, type ConsumeBatch } from '#libs/bus';
import { kafkaClient, type KafkaSettings } from '#libs/bus/kafka/kafka.client.js';
import type { DeadLetter } from '#libs/bus/kafka/kafka.dead-letters.js';
import { KafkaInteractionBus, type KafkaBusNeeds } from '#libs/bus/kafka/kafka.interaction-bus.js';
import { ensureTopics, wantedTopics } from '#libs/bus/kafka/kafka.topics.js';
import { readEvent } from '#libs/channels/ingest/event-reader.js';
import { IdFactory, SystemClock, toInstant } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { readSettings } from '#libs/kernel/settings.js';
import { BusSeal } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import type { KafkaBroker } from './broker.js';

/** An installation of its own on a broker: topics with a fresh name, keys, and what its bus set aside. */
export class KafkaInstallation {
  readonly settings: KafkaSettings;
  readonly vault = new MemoryKeyVault();
  readonly ids = new IdFactory(Buffer.alloc(32, 7));
  readonly parked: DeadLetter[] = [];
  readonly failures: Error[] = [];
  readonly seal = new BusSeal(this.vault, new SystemClock());

  constructor(broker: KafkaBroker, env: Record<string, string> = {}, more: Partial<KafkaSettings> = {}) {
    const fromEnv = readSettings({
      HILO_BUS_URL: broker.url,
      HILO_KAFKA_TOPIC_PREFIX: `test-${randomUUID()}`,
      HILO_KAFKA_REPLICATION: '1',
      HILO_KAFKA_MIN_INSYNC: '1',
      HILO_KAFKA_PARTITIONS: '3',
      HILO_KAFKA_SESSION_SECONDS: '6',
      ...env,
    });
    this.settings = Object.assign(fromEnv, more);
  }

  async ensure(): Promise<this> {
    await this.withAdmin((admin) => ensureTopics(admin, wantedTopics(this.settings)));
    return this;
  }

  open(more: Partial<KafkaBusNeeds> = {}): Promise<KafkaInteractionBus> {
    const clock = new SystemClock();
    return KafkaInteractionBus.open(this.settings, {
      seal: this.seal,
      hashKey: (key) => this.ids.digest(key),
      readForeign: (tenant, event) => {
        const nowMs = clock.nowMs();
        return readEvent(event, { tenant, nowMs, receivedAt: toInstant(nowMs), ids: this.ids });
      },
      park: async (letter) => void this.parked.push(letter),
      onFailure: (error) => this.failures.push(error),
      logger: silentLogger(),
      ...more,
    });
  }

  async withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafkaClient(this.settings, silentLogger()).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

/** Remembers what several consumers were handed, in the order in which they got it. */
export class Recorder {
  private handled: { by: string; message: BusMessage }[] = [];

  /** @param delayMs what a batch takes */
  handler(by: string, delayMs = 0): ConsumeBatch {
    return async (messages) => {
      if (delayMs > 0) await new Promise((resume) => setTimeout(resume, delayMs));
      this.handled.push(...messages.map((message) => ({ by, message })));
      return messages.map(({ receipt }) => ({ status: 'recorded', receipt }));
    };
  }

  handledBy(name: string): number {
    return this.handled.filter(({ by }) => by === name).length;
  }

  /** What was handled, each once; of one consumer or of all. */
  receipts(name?: string): Set<string> {
    return new Set(
      this.handled.filter(({ by }) => name === undefined || by === name).map((one) => one.message.receipt),
    );
  }

  messages(): BusMessage[] {
    return this.handled.map(({ message }) => message);
  }

  /** Leaves out a thread. */
  forget(thread: string): void {
    this.handled = this.handled.filter(({ message }) => !message.receipt.startsWith(`${thread}-`));
  }

  /** The numbers of the messages of each key, each where it came first. */
  firstOfEachKey(): Map<string, number[]> {
    const numbers = new Map<string, Set<number>>();
    for (const { message } of this.handled) {
      const key = busKeyOf(message);
      numbers.set(key, (numbers.get(key) ?? new Set()).add(Number(message.receipt.split('-').at(-1))));
    }
    return new Map([...numbers].map(([key, seen]) => [key, [...seen]]));
  }
}

/** kafkajs without anything of ours around it. */
export const plainKafka = (broker: KafkaBroker) =>
  new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING });
