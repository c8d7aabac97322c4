import { eventStoreContract } from '../event-store.contract.js';
import { MemoryEventStore } from './memory.event-store.js';

eventStoreContract('MemoryEventStore', {
  open: () => new MemoryEventStore(),
  close: (store) => store.close(),
  lacks: { durability: 'it lives in memory' },
});
