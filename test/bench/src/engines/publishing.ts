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
const PORTION = 20_000;

export interface Contacts {
  contacts: number;
  customers: number;
  /** Distinguishes them from the contacts of another load. */
  load: string;
}

/** Contacts as the edge reads them, when they are posted for a tenant; in portions, so that no heap holds all of them. */
export function* messagesOf(
  { contacts, customers, load }: Contacts,
  { tenant, ids, clock }: { tenant: string; ids: IdFactory; clock: Clock },
): Generator<BusMessage[]> {
  const source = new Interactions(customers, load);
  for (let made = 0; made < contacts; made += PORTION) {
    const nowMs = clock.nowMs();
    const edge = { tenant, nowMs, receivedAt: toInstant(nowMs), ids };
    const read = (): BusMessage => interactions.read(JSON.parse(source.next().body), edge)!;
    yield Array.from({ length: Math.min(PORTION, contacts - made) }, read);
  }
}

/** Hands all batches over, so many at a time; messages a second. The clock stands while a portion is made. */
export const inBatches = async <T>(
  portions: Iterable<readonly T[]>,
  send: (batch: readonly T[]) => Promise<unknown>,
): Promise<number> => {
  let [count, ms] = [0, 0];
  for (const portion of portions) {
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < portion.length) {
        const batch = portion.slice(next, (next += BATCH));
        await send(batch);
      }
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: AT_A_TIME }, sender));
    ms += performance.now() - startedAt;
    count += portion.length;
  }
  return perSecond(count, ms);
};

/** The topics that the settings name. */
export const makeTopics = async (settings: KafkaSettings): Promise<void> => {
  const admin = kafkaClient(settings, silentLogger()).admin();
  await admin.connect();
  await ensureTopics(admin, wantedTopics(settings));
  await admin.disconnect();
};
