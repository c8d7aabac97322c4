import type { PostgresClient, PostgresPool } from '#libs/kernel/postgres.js';
import type { EventStore, Position } from '../event-store.port.js';
import type { LedgerRow, LedgerTotals } from './delivery-ledger.port.js';
import { LEDGER_TYPES, LedgerCounts } from './ledger-tally.js';
import {
  COUNTED_THROUGH,
  TallyingDeliveryLedger,
  savedTotalsSql,
  totalsOf,
  type SavedTotalsRow,
} from './tallying.delivery-ledger.js';

type Store = Pick<EventStore, 'readAll' | 'head'>;

/**
 * The ledger in a PostgreSQL database (`openOperations`), to which several programs count. What was appended is counted
 * from the log, by whichever of them looks first: rows and the position they count through move in one transaction, by
 * compare-and-set on that position.
 */
export class PostgresDeliveryLedger extends TallyingDeliveryLedger<Store> {
  constructor(
    private readonly pool: PostgresPool,
    store: Store,
  ) {
    super(store);
  }

  async totals(): Promise<LedgerTotals> {
    await this.flush();
    while (!(await this.countAppended()));
    return this.saved();
  }

  protected async save(): Promise<void> {
    const saved = this.takePending();
    try {
      await addRows(this.pool, saved);
    } catch (error) {
      this.pending.addAll(saved);
      throw error;
    }
  }

  /** Counts what the log has grown by. @returns false where another program did meanwhile, in part or whole */
  private async countAppended(): Promise<boolean> {
    const head = await this.store.head();
    let after = (await this.saved()).countedThrough;
    for await (const events of this.store.readAll({ after, through: head, types: LEDGER_TYPES, batchSize: 1000 })) {
      const counts = new LedgerCounts();
      for (const event of events) counts.addEvent(event);
      const through = events.at(-1)!.position;
      if (!(await this.move(after, through, counts.rows()))) return false;
      after = through;
    }
    return after >= head || this.move(after, head, []);
  }

  private async move(after: Position, through: Position, rows: readonly LedgerRow[]): Promise<boolean> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('INSERT INTO mark (name, position) VALUES ($1, 0) ON CONFLICT DO NOTHING', [COUNTED_THROUGH]);
      const moved = await client.query('UPDATE mark SET position = $3 WHERE name = $1 AND position = $2', [
        COUNTED_THROUGH,
        after,
        through,
      ]);
      if (moved.rowCount > 0) await addRows(client, rows);
      await client.query('COMMIT');
      return moved.rowCount > 0;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  private async saved(): Promise<LedgerTotals> {
    const { rows } = await this.pool.query<SavedTotalsRow>(savedTotalsSql('$1'), [COUNTED_THROUGH]);
    return totalsOf(rows);
  }
}

/** In the order of their keys, so that programs that count the same accounts wait for each other and not in a ring. */
const addRows = async (to: Pick<PostgresClient, 'query'>, rows: readonly LedgerRow[]): Promise<void> => {
  if (rows.length === 0) return;
  const column = (name: keyof LedgerRow) => rows.map((row) => row[name]);
  await to.query(
    `INSERT INTO ledger (tenant, channel, account, recorded, duplicate, corrected, parked)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
     ON CONFLICT (tenant, channel, account) DO UPDATE SET
       recorded = ledger.recorded + excluded.recorded, duplicate = ledger.duplicate + excluded.duplicate,
       corrected = ledger.corrected + excluded.corrected, parked = ledger.parked + excluded.parked`,
    (['tenant', 'channel', 'account', 'recorded', 'duplicate', 'corrected', 'parked'] as const).map(column),
  );
};
