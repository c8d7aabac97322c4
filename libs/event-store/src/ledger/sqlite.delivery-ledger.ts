import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import type { AppendFeed } from '../event-log.port.js';
import type { EventStore, Position } from '../event-store.port.js';
import { readMark, writeMark, type EventsFile } from '../sqlite/events-file.js';
import { SqliteEventLogReader } from '../sqlite/sqlite.event-log-reader.js';
import type { LedgerRow, LedgerTotals } from './delivery-ledger.port.js';
import { countAppended } from './ledger-tally.js';
import {
  COUNTED_THROUGH,
  TallyingDeliveryLedger,
  savedTotalsSql,
  totalsOf,
  type SavedTotalsRow,
} from './tallying.delivery-ledger.js';

type Store = Pick<EventStore, 'readAll' | 'head'> & AppendFeed;

/** The ledger in `events.db`; its rows change in one transaction with the mark that says how far they count. */
export class SqliteDeliveryLedger extends TallyingDeliveryLedger<Store> {
  private countedThrough: Position = 0;
  private stopListening: () => void = () => undefined;

  private constructor(
    private readonly file: EventsFile,
    store: Store,
  ) {
    super(store);
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

  async totals(): Promise<LedgerTotals> {
    await this.flush();
    return savedTotals(this.file.db);
  }

  override async close(): Promise<void> {
    this.stopListening();
    await super.close();
  }

  protected async save(): Promise<void> {
    let saved: LedgerRow[] = [];
    await this.file.commits.enqueue({
      run: () => {
        saved = this.takePending();
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

const savedTotals = (db: SqliteDatabase): LedgerTotals =>
  totalsOf(db.prepare(savedTotalsSql('?')).all<SavedTotalsRow>([COUNTED_THROUGH]));
