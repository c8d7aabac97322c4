import { eventStoreContract } from '#libs/event-store/event-store.contract.js';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { EventSealer } from '#libs/privacy';
import { SealedEventStore } from '#libs/privacy/sealed.event-store.js';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import {
  eventStoreDbKind,
  startEventStoreDb,
  type EventStoreDbUnderTest,
} from '#libs/testing/engines/event-store-db-server.js';
import { ranAgainst } from '../ran-against.js';

jest.setTimeout(60_000);

const kind = eventStoreDbKind();
let server: EventStoreDbUnderTest | undefined;
beforeAll(async () => {
  server = await startEventStoreDb(kind);
  ranAgainst(`EventStoreDB: ${kind}`);
}, 300_000);
afterAll(() => server?.stop());

let url = '';
const vault = new MemoryKeyVault();
const everything = new EventSealer(new Proxy({}, { get: () => ({ subject: 'stream', fields: {} }), has: () => true }));
const reopen = () => new SealedEventStore(EventStoreDbEventStore.open({ url }), vault, everything);
eventStoreContract(`SealedEventStore over EventStoreDB on ${kind}`, {
  makesTexts: true,
  open: async () => {
    url = await server!.emptyUrl();
    return reopen();
  },
  close: (store) => store.close(),
  reopen,
  lacks: { callOrder: 'a server orders appends to different streams that are under way together' },
});
