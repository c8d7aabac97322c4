import type { EventStore, Position } from '../event-store.port.js';
import {
  DeliveryLedger,
  type DeliveryAccount,
  type LedgerOutcome,
  type LedgerRow,
  type LedgerTotals,
  type LogCount,
} from './delivery-ledger.port.js';
import { LedgerCounts, countLog } from './ledger-tally.js';

/** Under what name tables keep how far their rows count. */
export const COUNTED_THROUGH = 'ledger_counted_through';

// Counts wait so long for company before they are saved.
const SAVE_WITHIN_MS = 100;

/** A ledger that counts in memory first, and saves what it has counted a little later. */
export abstract class TallyingDeliveryLedger<
  Store extends Pick<EventStore, 'readAll' | 'head'>,
> extends DeliveryLedger {
  protected readonly pending = new LedgerCounts();
  private timer: NodeJS.Timeout | undefined;

  constructor(protected readonly store: Store) {
    super();
  }

  count(account: DeliveryAccount, outcome: LedgerOutcome): void {
    if (outcome !== 'duplicate' && outcome !== 'parked') return;
    this.pending.add(account, outcome);
    this.saveSoon();
  }

  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    return this.save();
  }

  countLog(through?: Position): Promise<LogCount> {
    return countLog(this.store, through);
  }

  close(): Promise<void> {
    return this.flush();
  }

  /** Saves what is pending; what could not be saved is pending again. */
  protected abstract save(): Promise<void>;

  protected saveSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      // Kept, and tried again with whatever is counted next.
      this.flush().catch(() => undefined);
    }, SAVE_WITHIN_MS).unref();
  }

  /** Takes what is pending, to save it. */
  protected takePending(): LedgerRow[] {
    const rows = this.pending.rows();
    this.pending.clear();
    return rows;
  }
}

/** What `savedTotalsSql` asks for: the rows of the ledger, or one row without an account where it has none. */
export type SavedTotalsRow = { counted_through: Position } & Record<keyof DeliveryAccount, string | null> &
  Record<LedgerOutcome, number>;

/** One statement, so that mark and rows are of one snapshot. Its one parameter is `COUNTED_THROUGH`, written `$1` or `?`. */
export const savedTotalsSql = (parameter: '$1' | '?'): string =>
  `SELECT coalesce((SELECT position FROM mark WHERE name = ${parameter}), 0) AS counted_through, l.*
   FROM (SELECT 1) AS one LEFT JOIN ledger AS l ON true ORDER BY tenant, channel, account`;

export const totalsOf = (rows: readonly SavedTotalsRow[]): LedgerTotals => ({
  countedThrough: rows[0]!.counted_through,
  rows: rows.flatMap(({ tenant, channel, account, recorded, duplicate, corrected, parked }) =>
    tenant === null || channel === null || account === null
      ? []
      : [{ tenant, channel, account, recorded, duplicate, corrected, parked }],
  ),
});
