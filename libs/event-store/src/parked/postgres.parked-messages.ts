import { randomUUID } from 'node:crypto';
import { SystemClock, bytesOfUuid, isUuid, type Clock, type Uuid } from '#libs/kernel';
import type { PostgresPool } from '#libs/kernel/postgres.js';
import { notParked } from './parked-messages.errors.js';
import {
  ParkedMessages,
  type ListParkedOptions,
  type NewParkedMessage,
  type ParkedCount,
  type ParkedMessage,
  type ParkedStatus,
  type ParkedSummary,
} from './parked-messages.port.js';
import { SUMMARY_COLUMNS, summaryOf, type ParkedRow } from './parked-row.js';

/** Parked messages in a PostgreSQL database, parked and settled by any program (`openOperations`). */
export class PostgresParkedMessages extends ParkedMessages {
  constructor(
    private readonly pool: PostgresPool,
    private readonly clock: Clock = new SystemClock(),
  ) {
    super();
  }

  async park(message: NewParkedMessage): Promise<Uuid> {
    const id = message.id ?? randomUUID();
    const { tenant, channel, account, stage, reasonCode, reason, receivedAtMs, contentType, bytes, receipt } = message;
    await this.pool.query(
      `INSERT INTO parked (id, tenant, channel, account, stage, reason_code, reason, attempts, received_at,
         parked_at, status, content_type, receipt, bytes)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, 'parked', $10, $11, $12)
       ON CONFLICT (id) DO UPDATE SET attempts = parked.attempts + 1,
         status = CASE parked.status WHEN 'replayed' THEN 'parked' ELSE parked.status END`,
      [
        bytesOfUuid(id), tenant, channel, account, stage, reasonCode, reason, receivedAtMs,
        this.clock.nowMs(), contentType, receipt ?? null, bytes,
      ],
    ); // prettier-ignore
    return id;
  }

  async list({ tenant, status, receipt, before, limit }: ListParkedOptions): Promise<ParkedSummary[]> {
    const { rows } = await this.pool.query<ParkedRow>(
      `SELECT ${SUMMARY_COLUMNS} FROM parked
       WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR status = $2)
         AND ($3::text IS NULL OR receipt = $3)
         AND ($4::bytea IS NULL OR number < (SELECT number FROM parked WHERE id = $4))
       ORDER BY number DESC LIMIT $5`,
      [
        tenant ?? null,
        status ?? null,
        receipt ?? null,
        before === undefined ? null : bytesOfUuid(before),
        Math.max(0, limit),
      ],
    );
    return rows.map(summaryOf);
  }

  async get(id: Uuid): Promise<ParkedMessage | undefined> {
    if (!isUuid(id)) return undefined;
    const { rows } = await this.pool.query<ParkedRow & { bytes: Buffer }>(
      `SELECT ${SUMMARY_COLUMNS}, bytes FROM parked WHERE id = $1`,
      [bytesOfUuid(id)],
    );
    return rows[0] && { ...summaryOf(rows[0]), bytes: rows[0].bytes };
  }

  markReplayed(id: Uuid, outcome: string): Promise<void> {
    return this.settle(id, "status = 'replayed', outcome = $2", [outcome]);
  }

  discard(id: Uuid, by: string, reason: string): Promise<void> {
    return this.settle(id, "status = 'discarded', discarded_by = $2, discard_reason = $3", [by, reason]);
  }

  async purge(id: Uuid, by: string, reason: string): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      `UPDATE parked SET bytes = '',
         discarded_by = CASE status WHEN 'parked' THEN $2 ELSE discarded_by END,
         discard_reason = CASE status WHEN 'parked' THEN $3 ELSE discard_reason END,
         status = CASE status WHEN 'parked' THEN 'discarded' ELSE status END
       WHERE id = $1 AND length(bytes) > 0`,
      [bytesOfUuid(id), by, reason],
    );
    return rowCount > 0;
  }

  async count(tenant?: string): Promise<ParkedCount[]> {
    const { rows } = await this.pool.query<ParkedCount>(
      `SELECT tenant, channel, account, count(*) FILTER (WHERE status = 'parked') AS parked,
         count(*) FILTER (WHERE status = 'replayed') AS replayed,
         count(*) FILTER (WHERE status = 'discarded') AS discarded
       FROM parked WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, channel, account ORDER BY 1, 2, 3`,
      [tenant ?? null],
    );
    return rows;
  }

  private async settle(id: Uuid, assignments: string, values: string[]): Promise<void> {
    const key = bytesOfUuid(id);
    const { rowCount } = await this.pool.query(`UPDATE parked SET ${assignments} WHERE id = $1 AND status = 'parked'`, [
      key,
      ...values,
    ]);
    if (rowCount > 0) return;
    const found = await this.pool.query<{ status: ParkedStatus }>('SELECT status FROM parked WHERE id = $1', [key]);
    throw notParked(id, found.rows[0]?.status);
  }
}
