import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
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
    const settings = readSettings({
      HILO_BUS_URL: broker.url,
      HILO_KAFKA_TOPIC_PREFIX: `test-${randomUUID()}`,
      HILO_KAFKA_REPLICATION: '1',
      HILO_KAFKA_MIN_INSYNC: '1',
      HILO_KAFKA_PARTITIONS: '3',
      ...env,
    });
    this.settings = { ...settings, ...more };
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

/** kafkajs without anything of ours around it. */
export const plainKafka = (broker: KafkaBroker) =>
  new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING });
