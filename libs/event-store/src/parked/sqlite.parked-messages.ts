import { randomUUID } from 'node:crypto';
import { SystemClock, bytesOfUuid, isUuid, type Clock, type Uuid } from '#libs/kernel';
import type { SqliteDatabase, SqliteValue } from '#libs/kernel/sqlite.js';
import type { EventsFile } from '../sqlite/events-file.js';
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

/** Parked messages in `events.db`, in the same transactions as the appends of their turn. */
export class SqliteParkedMessages extends ParkedMessages {
  private readonly db: SqliteDatabase;

  constructor(
    private readonly file: EventsFile,
    private readonly clock: Clock = new SystemClock(),
  ) {
    super();
    this.db = file.db;
  }

  async park(message: NewParkedMessage): Promise<Uuid> {
    const id = message.id ?? randomUUID();
    const { tenant, channel, account, stage, reasonCode, reason, receivedAtMs, contentType, bytes, receipt } = message;
    await this.file.commits.enqueue({
      run: () =>
        this.db
          .prepare(
            `INSERT INTO parked (id, tenant, channel, account, stage, reason_code, reason, attempts, received_at,
               parked_at, status, content_type, receipt, bytes)
             VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, 'parked', ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET attempts = attempts + 1,
               status = CASE status WHEN 'replayed' THEN 'parked' ELSE status END`,
          )
          .run([
            bytesOfUuid(id), tenant, channel, account, stage, reasonCode, reason, receivedAtMs,
            this.clock.nowMs(), contentType, receipt ?? null, bytes,
          ]), // prettier-ignore
    });
    return id;
  }

  async list({ tenant, status, receipt, before, limit }: ListParkedOptions): Promise<ParkedSummary[]> {
    const filters: [string, SqliteValue][] = [];
    if (tenant !== undefined) filters.push(['tenant = ?', tenant]);
    if (status !== undefined) filters.push(['status = ?', status]);
    if (receipt !== undefined) filters.push(['receipt = ?', receipt]);
    if (before !== undefined) filters.push(['number < (SELECT number FROM parked WHERE id = ?)', bytesOfUuid(before)]);
    const where = filters.length === 0 ? '' : `WHERE ${filters.map(([test]) => test).join(' AND ')}`;
    return this.db
      .prepare(`SELECT ${SUMMARY_COLUMNS} FROM parked ${where} ORDER BY number DESC LIMIT ?`)
      .all<ParkedRow>([...filters.map(([, value]) => value), Math.max(0, limit)])
      .map(summaryOf);
  }

  async get(id: Uuid): Promise<ParkedMessage | undefined> {
    if (!isUuid(id)) return undefined;
    const row = this.db
      .prepare(`SELECT ${SUMMARY_COLUMNS}, bytes FROM parked WHERE id = ?`)
      .first<ParkedRow & { bytes: ArrayBuffer | Buffer }>([bytesOfUuid(id)]);
    return row && { ...summaryOf(row), bytes: Buffer.from(row.bytes as ArrayBuffer) };
  }

  async markReplayed(id: Uuid, outcome: string): Promise<void> {
    await this.settle(id, "status = 'replayed', outcome = ?", [outcome]);
  }

  async discard(id: Uuid, by: string, reason: string): Promise<void> {
    await this.settle(id, "status = 'discarded', discarded_by = ?, discard_reason = ?", [by, reason]);
  }

  purge(id: Uuid, by: string, reason: string): Promise<boolean> {
    return this.file.commits.enqueue({
      run: () =>
        this.db
          .prepare(
            `UPDATE parked SET bytes = x'',
               discarded_by = CASE status WHEN 'parked' THEN ? ELSE discarded_by END,
               discard_reason = CASE status WHEN 'parked' THEN ? ELSE discard_reason END,
               status = CASE status WHEN 'parked' THEN 'discarded' ELSE status END
             WHERE id = ? AND length(bytes) > 0`,
          )
          .run([by, reason, bytesOfUuid(id)]).changes > 0,
    });
  }

  async count(tenant?: string): Promise<ParkedCount[]> {
    return this.db
      .prepare(
        `SELECT tenant, channel, account, count(*) FILTER (WHERE status = 'parked') AS parked,
           count(*) FILTER (WHERE status = 'replayed') AS replayed,
           count(*) FILTER (WHERE status = 'discarded') AS discarded
         FROM parked WHERE tenant = coalesce(?, tenant) GROUP BY tenant, channel, account ORDER BY 1, 2, 3`,
      )
      .all<ParkedCount>([tenant ?? null]);
  }

  private settle(id: Uuid, assignments: string, values: string[]): Promise<void> {
    const key = bytesOfUuid(id);
    return this.file.commits.enqueue({
      run: () => {
        const update = this.db.prepare(`UPDATE parked SET ${assignments} WHERE id = ? AND status = 'parked'`);
        if (update.run([...values, key]).changes > 0) return;
        const row = this.db.prepare('SELECT status FROM parked WHERE id = ?').first<{ status: ParkedStatus }>([key]);
        throw notParked(id, row?.status);
      },
    });
  }
}
