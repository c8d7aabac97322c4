import type { EventStore } from './event-store.port.js';
import type { DeliveryLedger } from './ledger/delivery-ledger.port.js';
import type { ParkedMessages } from './parked/parked-messages.port.js';

/** What lies beside a log on a server, where all programs that use the log share it. */
export interface Operations {
  readonly parked: ParkedMessages;
  /** Counts from the log, to which several programs append. */
  ledgerOver(log: Pick<EventStore, 'readAll' | 'head'>): DeliveryLedger;
  /** After everything that came of it was closed. */
  close(): Promise<void>;
}
