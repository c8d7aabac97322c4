import type { Clock } from '#libs/kernel';
import { MemoryDeliveryLedger } from '../ledger/memory.delivery-ledger.js';
import type { Operations } from '../operations.port.js';
import { MemoryParkedMessages } from '../parked/memory.parked-messages.js';

/** For tests and demonstrations: gone with the process, and shared with no other. */
export const memoryOperations = (clock: Clock): Operations => ({
  parked: new MemoryParkedMessages(clock),
  ledgerOver: (log) => new MemoryDeliveryLedger(log),
  close: async () => undefined,
});
