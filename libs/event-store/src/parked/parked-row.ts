import { uuidOfBytes } from '#libs/kernel';
import type { ParkedStage, ParkedStatus, ParkedSummary } from './parked-messages.port.js';

/** A parked message as tables hold it, without its bytes. */
export interface ParkedRow {
  id: ArrayBuffer | Uint8Array;
  tenant: string;
  channel: string;
  account: string;
  stage: ParkedStage;
  reason_code: string;
  reason: string;
  attempts: number;
  received_at: number;
  parked_at: number;
  status: ParkedStatus;
  content_type: string;
  receipt: string | null;
  outcome: string | null;
  discarded_by: string | null;
  discard_reason: string | null;
}

/** The columns of a `ParkedRow`. */
export const SUMMARY_COLUMNS =
  'id, tenant, channel, account, stage, reason_code, reason, attempts, received_at, parked_at, status, content_type, receipt, outcome, discarded_by, discard_reason';

export const summaryOf = (row: ParkedRow): ParkedSummary => ({
  id: uuidOfBytes(row.id),
  tenant: row.tenant,
  channel: row.channel,
  account: row.account,
  stage: row.stage,
  reasonCode: row.reason_code,
  reason: row.reason,
  attempts: row.attempts,
  receivedAtMs: row.received_at,
  parkedAtMs: row.parked_at,
  status: row.status,
  contentType: row.content_type,
  ...(row.receipt !== null && { receipt: row.receipt }),
  ...(row.outcome !== null && { outcome: row.outcome }),
  ...(row.discarded_by !== null && { discardedBy: row.discarded_by }),
  ...(row.discard_reason !== null && { discardReason: row.discard_reason }),
});
