import type { PostgresPool } from '#libs/kernel/postgres.js';
import type { LedgerRow } from '../ledger/delivery-ledger.port.js';

/**
 * Carries over what no log tells: how many deliveries were duplicates, and how many were parked. What was recorded and
 * corrected the ledger of the database (`openOperations`) counts from its own log. Repeatable.
 */
export const carryCounts = async (pool: PostgresPool, rows: readonly LedgerRow[]): Promise<void> => {
  const column = (name: keyof LedgerRow): unknown[] => rows.map((row) => row[name]);
  await pool.query(
    `INSERT INTO ledger (tenant, channel, account, recorded, duplicate, corrected, parked)
     SELECT tenant, channel, account, 0, duplicate, 0, parked
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
       AS carried (tenant, channel, account, duplicate, parked)
     ON CONFLICT (tenant, channel, account) DO UPDATE SET duplicate = excluded.duplicate, parked = excluded.parked`,
    (['tenant', 'channel', 'account', 'duplicate', 'parked'] as const).map(column),
  );
};
