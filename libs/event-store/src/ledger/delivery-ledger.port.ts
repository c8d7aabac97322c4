import type { Position } from '../event-store.port.js';

/** Whose deliveries are counted together. */
export interface DeliveryAccount {
  tenant: string;
  /** `profile` for customer records, whose account is their source. */
  channel: string;
  account: string;
}

/** What becomes of a delivery that was taken. */
export type LedgerOutcome = 'recorded' | 'duplicate' | 'corrected' | 'parked';

/** Deliveries of one account; accepted is the sum of the four. */
export interface LedgerRow extends DeliveryAccount, Record<LedgerOutcome, number> {}

export interface LedgerTotals {
  /** `recorded` and `corrected` count exactly what was appended up to here. */
  countedThrough: Position;
  /** Ordered by tenant, channel, account. */
  rows: LedgerRow[];
}

/** What the log itself says, event by event. */
export interface LogCount {
  through: Position;
  rows: (DeliveryAccount & { recorded: number; corrected: number })[];
}

/**
 * Deliveries per account and outcome.
 *
 * `recorded` and `corrected` are counted once an append is committed; the rows are saved together with the position up
 * to which they count, so that after a crash the rest is counted from the log: no event twice, none left out. Where one
 * process appends they are counted from what was decided and not from what was stored. Where several append they are
 * counted from the log, by whichever asks first, and never by who appends: nobody but the log knows the order of all.
 * `duplicate` and `parked` are counted by the recorder; a crash loses those that were not flushed.
 *
 * That makes `totals()` and `countLog()` equal through one position at any time, also under traffic and after any
 * crash, unless the log has lost an event, holds one that was never appended, or a contact was recorded twice in its
 * stream: the ledger counts `InteractionRecorded` at revision 0 only, the log count every one.
 */
export abstract class DeliveryLedger {
  /** Counts one answered delivery. `recorded` and `corrected` are known from the append already and add nothing. */
  abstract count(account: DeliveryAccount, outcome: LedgerOutcome): void;

  /** Resolves when everything counted so far is durable; rejects with `EVENT_STORE.UNAVAILABLE`, and keeps the counts. */
  abstract flush(): Promise<void>;

  /** The saved rows, after a flush. */
  abstract totals(): Promise<LedgerTotals>;

  /** Counts the log from its beginning, batch by batch. @default through the head */
  abstract countLog(through?: Position): Promise<LogCount>;

  /** Flushes, and counts no further. */
  abstract close(): Promise<void>;
}
