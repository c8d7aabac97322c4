import type { EventStore, Position } from '../event-store.port.js';
import {
  DeliveryLedger,
  type DeliveryAccount,
  type LedgerOutcome,
  type LedgerTotals,
  type LogCount,
} from './delivery-ledger.port.js';
import { countAppended, countLog, LedgerCounts } from './ledger-tally.js';

/** Counts what a log has grown by when it is asked: whoever appended to it. */
export class MemoryDeliveryLedger extends DeliveryLedger {
  private readonly counts = new LedgerCounts();
  private countedThrough: Position = 0;
  private counting: Promise<void> = Promise.resolve();

  constructor(private readonly log: Pick<EventStore, 'readAll' | 'head'>) {
    super();
  }

  count(account: DeliveryAccount, outcome: LedgerOutcome): void {
    if (outcome === 'duplicate' || outcome === 'parked') this.counts.add(account, outcome);
  }

  async flush(): Promise<void> {}

  async totals(): Promise<LedgerTotals> {
    const counted = this.counting.then(() => this.countOn());
    this.counting = counted.catch(() => undefined);
    await counted;
    return { countedThrough: this.countedThrough, rows: this.counts.rows() };
  }

  countLog(through?: Position): Promise<LogCount> {
    return countLog(this.log, through);
  }

  async close(): Promise<void> {}

  private async countOn(): Promise<void> {
    const head = await this.log.head();
    const grown = new LedgerCounts();
    await countAppended(this.log, this.countedThrough, head, grown);
    this.counts.addAll(grown.rows());
    this.countedThrough = head;
  }
}
