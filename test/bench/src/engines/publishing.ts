import type { BusMessage } from '#libs/bus';
import { kafkaClient, type KafkaSettings } from '#libs/bus/kafka/kafka.client.js';
import { ensureTopics, wantedTopics } from '#libs/bus/kafka/kafka.topics.js';
import { interactions } from '#libs/channels/ingest/inbound.js';
import { toInstant, type Clock, type IdFactory } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { perSecond } from '../load/batches.js';
import { Interactions } from '../load/interactions.js';

const BATCH = 100;
const AT_A_TIME = 8;

export interface Contacts {
  contacts: number;
  customers: number;
  /** Distinguishes them from the contacts of another load. */
  load: string;
}

/** Contacts as the edge reads them, when they are posted for a tenant. */
export const messagesOf = (
  { contacts, customers, load }: Contacts,
  { tenant, ids, clock }: { tenant: string; ids: IdFactory; clock: Clock },
): BusMessage[] => {
  const source = new Interactions(customers, load);
  const nowMs = clock.nowMs();
  const edge = { tenant, nowMs, receivedAt: toInstant(nowMs), ids };
  return Array.from({ length: contacts }, () => interactions.read(JSON.parse(source.next().body), edge)!);
};

/** Hands all batches over, so many at a time; messages a second. */
export const inBatches = async <T>(
  all: readonly T[],
  send: (batch: readonly T[]) => Promise<unknown>,
): Promise<number> => {
  let next = 0;
  const startedAt = performance.now();
  const sender = async (): Promise<void> => {
    while (next < all.length) {
      const batch = all.slice(next, (next += BATCH));
      await send(batch);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, sender));
  return perSecond(all.length, performance.now() - startedAt);
};

/** The topics that the settings name. */
export const makeTopics = async (settings: KafkaSettings): Promise<void> => {
  const admin = kafkaClient(settings, silentLogger()).admin();
  await admin.connect();
  await ensureTopics(admin, wantedTopics(settings));
  await admin.disconnect();
};
