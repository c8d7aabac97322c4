import {
  eventStoreDbKind,
  startEventStoreDb,
  type EventStoreDbUnderTest,
} from '#libs/testing/engines/event-store-db-server.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { eventStoreContract } from '../event-store.contract.js';
import { EventStoreDbEventStore } from './eventstoredb.event-store.js';

jest.setTimeout(60_000);

const kind = eventStoreDbKind();
let server: EventStoreDbUnderTest | undefined;
let url = '';
beforeAll(async () => {
  server = await startEventStoreDb(kind);
  ranAgainst(`EventStoreDB: ${kind}`);
}, 300_000);
afterAll(() => server?.stop());

eventStoreContract(`EventStoreDbEventStore on ${kind}`, {
  open: async () => {
    url = await server!.emptyUrl();
    return EventStoreDbEventStore.open({ url });
  },
  close: (store) => store.close(),
  reopen: () => EventStoreDbEventStore.open({ url }),
  lacks: { callOrder: 'a server orders appends to different streams that are under way together' },
});
