import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import type { AppendFeed } from '../event-log.port.js';
import type { EventStore, Position } from '../event-store.port.js';
import { readMark, writeMark, type EventsFile } from '../sqlite/events-file.js';
import { SqliteEventLogReader } from '../sqlite/sqlite.event-log-reader.js';
import {
  DeliveryLedger,
  type DeliveryAccount,
  type LedgerOutcome,
  type LedgerRow,
  type LedgerTotals,
  type LogCount,
} from './delivery-ledger.port.js';
import { countAppended, countLog, LedgerCounts } from './ledger-tally.js';

const COUNTED_THROUGH = 'ledger_counted_through';

// Counts wait so long for company before they are saved with the next transaction.
const SAVE_WITHIN_MS = 100;

type Store = Pick<EventStore, 'readAll' | 'head'> & AppendFeed;

/** The ledger in `events.db`; its rows change in one transaction with the mark that says how far they count. */
export class SqliteDeliveryLedger extends DeliveryLedger {
  private pending = new LedgerCounts();
  private countedThrough: Position = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: () => void = () => undefined;

  private constructor(
    private readonly file: EventsFile,
    private readonly store: Store,
  ) {
    super();
  }

  /** Counts what a crash has left uncounted; nothing is appended meanwhile. */
  static async open(file: EventsFile, store: Store): Promise<SqliteDeliveryLedger> {
    const ledger = new SqliteDeliveryLedger(file, store);
    const head = await store.head();
    await countAppended(store, readMark(file.db, COUNTED_THROUGH), head, ledger.pending);
    ledger.countedThrough = head;
    ledger.stopListening = store.onAppended((events) => {
      for (const event of events) ledger.pending.addEvent(event);
      ledger.countedThrough = events.at(-1)!.position;
      ledger.saveSoon();
    });
    await ledger.flush();
    return ledger;
  }

  count(account: DeliveryAccount, outcome: LedgerOutcome): void {
    if (outcome !== 'duplicate' && outcome !== 'parked') return;
    this.pending.add(account, outcome);
    this.saveSoon();
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    let saved: LedgerRow[] = [];
    await this.file.commits.enqueue({
      run: () => {
        saved = this.pending.rows();
        this.pending.clear();
        saveRows(this.file.db, saved);
        writeMark(this.file.db, COUNTED_THROUGH, this.countedThrough);
      },
      undoAlone: true,
      undone: () => {
        this.pending.addAll(saved);
        saved = [];
      },
    });
  }

  async totals(): Promise<LedgerTotals> {
    await this.flush();
    return savedTotals(this.file.db);
  }

  countLog(through?: Position): Promise<LogCount> {
    return countLog(this.store, through);
  }

  async close(): Promise<void> {
    this.stopListening();
    await this.flush();
  }

  private saveSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      // Kept, and tried again with whatever is counted next.
      this.flush().catch(() => undefined);
    }, SAVE_WITHIN_MS).unref();
  }
}

/** What another process sees of the ledger while the hub runs: what is saved, which counts exactly through its mark. */
export const readSavedLedger = (reader: SqliteEventLogReader): LedgerTotals => savedTotals(reader.db);

const saveRows = (db: SqliteDatabase, rows: readonly LedgerRow[]): void => {
  const add = db.prepare(
    `INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       recorded = recorded + excluded.recorded, duplicate = duplicate + excluded.duplicate,
       corrected = corrected + excluded.corrected, parked = parked + excluded.parked`,
  );
  for (const { tenant, channel, account, recorded, duplicate, corrected, parked } of rows)
    add.run([tenant, channel, account, recorded, duplicate, corrected, parked]);
};

// One statement, so that mark and rows are of one snapshot.
const savedTotals = (db: SqliteDatabase): LedgerTotals => {
  const rows = db
    .prepare(
      `SELECT coalesce((SELECT position FROM mark WHERE name = ?), 0) AS counted_through, l.*
       FROM (SELECT 1) LEFT JOIN ledger AS l ON true ORDER BY tenant, channel, account`,
    )
    .all<{ counted_through: number } & Record<keyof DeliveryAccount, string | null> & Record<LedgerOutcome, number>>([
      COUNTED_THROUGH,
    ]);
  return {
    countedThrough: rows[0]!.counted_through,
    rows: rows.flatMap(({ tenant, channel, account, recorded, duplicate, corrected, parked }) =>
      tenant === null || channel === null || account === null
        ? []
        : [{ tenant, channel, account, recorded, duplicate, corrected, parked }],
    ),
  };
};
