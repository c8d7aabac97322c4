import type { PostgresClient, PostgresPool } from '#libs/kernel/postgres.js';
import type { EventStore, Position } from '../event-store.port.js';
import {
  DeliveryLedger,
  type DeliveryAccount,
  type LedgerOutcome,
  type LedgerRow,
  type LedgerTotals,
  type LogCount,
} from './delivery-ledger.port.js';
import { LEDGER_TYPES, LedgerCounts, countLog } from './ledger-tally.js';

const COUNTED_THROUGH = 'ledger_counted_through';

// Counts wait so long for company before they are saved.
const SAVE_WITHIN_MS = 100;

type Store = Pick<EventStore, 'readAll' | 'head'>;

/**
 * The ledger in a PostgreSQL database (`openOperations`), to which several programs count. What was appended is counted
 * from the log, by whichever of them looks first: rows and the position they count through move in one transaction, by
 * compare-and-set on that position.
 */
export class PostgresDeliveryLedger extends DeliveryLedger {
  private pending = new LedgerCounts();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: PostgresPool,
    private readonly store: Store,
  ) {
    super();
  }

  count(account: DeliveryAccount, outcome: LedgerOutcome): void {
    if (outcome !== 'duplicate' && outcome !== 'parked') return;
    this.pending.add(account, outcome);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      // Kept, and tried again with whatever is counted next.
      this.flush().catch(() => undefined);
    }, SAVE_WITHIN_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const saved = this.pending;
    this.pending = new LedgerCounts();
    try {
      await addRows(this.pool, saved.rows());
    } catch (error) {
      this.pending.addAll(saved.rows());
      throw error;
    }
  }

  async totals(): Promise<LedgerTotals> {
    await this.flush();
    while (!(await this.countAppended()));
    return this.saved();
  }

  countLog(through?: Position): Promise<LogCount> {
    return countLog(this.store, through);
  }

  close(): Promise<void> {
    return this.flush();
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

  // One statement, so that mark and rows are of one snapshot.
  private async saved(): Promise<LedgerTotals> {
    const { rows } = await this.pool.query<LedgerRow & { counted_through: Position }>(
      `SELECT coalesce((SELECT position FROM mark WHERE name = $1), 0) AS counted_through, l.*
       FROM (SELECT 1) AS one LEFT JOIN ledger AS l ON true ORDER BY tenant, channel, account`,
      [COUNTED_THROUGH],
    );
    return {
      countedThrough: rows[0]!.counted_through,
      rows: rows.flatMap(({ counted_through: _, ...row }) => ((row.tenant as string | null) === null ? [] : [row])),
    };
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
