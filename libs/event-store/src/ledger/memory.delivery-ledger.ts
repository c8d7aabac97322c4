import type { AppendFeed } from '../event-log.port.js';
import type { EventStore, Position } from '../event-store.port.js';
import {
  DeliveryLedger,
  type DeliveryAccount,
  type LedgerOutcome,
  type LedgerTotals,
  type LogCount,
} from './delivery-ledger.port.js';
import { countLog, LedgerCounts } from './ledger-tally.js';

/** Follows a store from its first event. */
export class MemoryDeliveryLedger extends DeliveryLedger {
  private readonly counts = new LedgerCounts();
  private countedThrough: Position = 0;
  private readonly stopListening: () => void;

  constructor(private readonly store: Pick<EventStore, 'readAll' | 'head'> & AppendFeed) {
    super();
    this.stopListening = store.onAppended((events) => {
      for (const event of events) this.counts.addEvent(event);
      this.countedThrough = events.at(-1)!.position;
    });
  }

  count(account: DeliveryAccount, outcome: LedgerOutcome): void {
    if (outcome === 'duplicate' || outcome === 'parked') this.counts.add(account, outcome);
  }

  async flush(): Promise<void> {}

  async totals(): Promise<LedgerTotals> {
    return { countedThrough: this.countedThrough, rows: this.counts.rows() };
  }

  countLog(through?: Position): Promise<LogCount> {
    return countLog(this.store, through);
  }

  async close(): Promise<void> {
    this.stopListening();
  }
}
