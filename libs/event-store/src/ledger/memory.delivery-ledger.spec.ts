import { MemoryEventStore } from '../memory/memory.event-store.js';
import { deliveryLedgerContract } from './delivery-ledger.contract.js';
import { MemoryDeliveryLedger } from './memory.delivery-ledger.js';

deliveryLedgerContract('MemoryDeliveryLedger', {
  open: async () => {
    const events = new MemoryEventStore();
    return { events, ledger: new MemoryDeliveryLedger(events) };
  },
});
