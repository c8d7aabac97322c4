import type { Position, StreamId, StreamRevision } from '#libs/event-store';
import { toInstant, type Instant, type Uuid } from '#libs/kernel';
import { dataOf, type HistoryRow } from './history-log.js';

/** An event as analysts see it: the object of one line of an export, and what a custom projection evolves by. */
export interface HistoryEvent {
  position: Position;
  stream: StreamId;
  revision: StreamRevision;
  id: Uuid;
  type: string;
  /** Version of the shape of `data`. */
  schema: number;
  tenant: string;
  /** The store's clock. */
  recordedAt: Instant;
  data: Record<string, unknown>;
}

/**
 * The event as one line of NDJSON, line feed included. Keys stand in the order of `HistoryEvent`, and data in the
 * order in which it was recorded: the same position gives the same bytes, from a raw row or a parsed one.
 */
export const historyLine = (row: HistoryRow): string => {
  const data = 'json' in row ? row.json : JSON.stringify(row.data);
  return (
    `{"position":${row.position},"stream":${JSON.stringify(row.stream)},"revision":${row.revision},"id":${JSON.stringify(row.id)},` +
    `"type":${JSON.stringify(row.type)},"schema":${row.schema},"tenant":${JSON.stringify(row.tenant)},` +
    `"recordedAt":"${toInstant(row.recordedAtMs)}","data":${data}}\n`
  );
};

/** The event as an object, equal to its parsed line. */
export const historyEvent = (row: HistoryRow): HistoryEvent => ({
  position: row.position,
  stream: row.stream,
  revision: row.revision,
  id: row.id,
  type: row.type,
  schema: row.schema,
  tenant: row.tenant,
  recordedAt: toInstant(row.recordedAtMs),
  data: dataOf(row) as Record<string, unknown>,
});
