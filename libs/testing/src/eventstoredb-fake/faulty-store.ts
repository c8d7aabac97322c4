import { collect, eventOf, newStream } from '#libs/event-store/event-store.contract.js';
import type { EventStore, StoredEvent } from '#libs/event-store';
import {
  EventStoreDbEventStore,
  type EventStoreDbOptions,
} from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { FakeEventStoreDb, type FakeEventStoreDbOptions } from './fake-event-store-db.js';

/** Settings under which whatever goes wrong is noticed and given up soon. */
export const QUICK = {
  attemptTimeoutMs: 300,
  giveUpAfterMs: 10_000,
  initialBackoffMs: 5,
  maxBackoffMs: 50,
  watchdogMs: 300,
} satisfies Partial<EventStoreDbOptions>;

/** Both ways of appending are taken: what fails together is settled alone. */
const TOGETHER = '&appends=together';

/** A store whose server fails as it is told to. */
export interface FaultyStore {
  fake: FakeEventStoreDb;
  store: EventStoreDbEventStore;
  /** Of each drop of a subscription how many followed one another. */
  drops: number[];
}

/**
 * Starts a server and a store on it; `endFaultyStore` ends both.
 * @param node the only node the store is told of, counted from 0; unset: all of them
 * @param alone whether appends are sent one by one
 */
export const startFaultyStore = async (
  options: Partial<EventStoreDbOptions> = {},
  { node, alone = false, ...cluster }: FakeEventStoreDbOptions & { node?: number; alone?: boolean } = {},
): Promise<FaultyStore> => {
  const fake = await FakeEventStoreDb.start(cluster);
  const drops: number[] = [];
  const store = EventStoreDbEventStore.open({
    url: `${fake.url(node)}${alone ? '' : TOGETHER}`,
    ...QUICK,
    onDropped: (_reason, inARow) => void drops.push(inARow),
    ...options,
  });
  return { fake, store, drops };
};

export const endFaultyStore = async ({ fake, store }: FaultyStore): Promise<void> => {
  fake.thaw();
  await store.close();
  await fake.stop();
};

/** Appends so many events, each to a stream of its own. @returns all events of the store */
export const fill = async (store: EventStore, count: number): Promise<StoredEvent[]> => {
  await Promise.all(Array.from({ length: count }, () => store.append(newStream(), [eventOf()], 'no_stream')));
  return collect(store.readAll({ after: 0 }));
};
