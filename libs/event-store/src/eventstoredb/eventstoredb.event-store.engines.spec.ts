import { randomUUID } from 'node:crypto';
import { FakeEventStoreDb } from '#libs/testing/eventstoredb-fake/fake-event-store-db.js';
import { eventStoreContract } from '../event-store.contract.js';
import { EventStoreDbEventStore } from './eventstoredb.event-store.js';

jest.setTimeout(30_000);
let fake: FakeEventStoreDb;
let url = '';

eventStoreContract('EventStoreDbEventStore', {
  open: async () => {
    fake = await FakeEventStoreDb.start({ foreignEvery: 3 });
    url = `${fake.url()}&namespace=t${randomUUID().replaceAll('-', '')}`;
    return EventStoreDbEventStore.open({ url });
  },
  close: async (store) => { await store.close(); },
  reopen: () => EventStoreDbEventStore.open({ url }),
});
