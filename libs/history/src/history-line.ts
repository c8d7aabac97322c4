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
  // Streams and ids are made of letters, digits and hyphens: nothing in them needs an escape.
  return `{"position":${row.position},"stream":"${row.stream}","revision":${row.revision},"id":"${row.id}",${commonOf(row)}${data}}\n`;
};

type Common = Pick<HistoryRow, 'type' | 'schema' | 'tenant' | 'recordedAtMs'>;

let latest: Common & { text: string } = { type: '', schema: 0, tenant: '', recordedAtMs: Number.NaN, text: '' };

/** What events of one commit mostly share, so the text of the event before serves again. */
const commonOf = ({ type, schema, tenant, recordedAtMs }: Common): string => {
  if (
    recordedAtMs !== latest.recordedAtMs ||
    type !== latest.type ||
    schema !== latest.schema ||
    tenant !== latest.tenant
  ) {
    const text = `"type":${JSON.stringify(type)},"schema":${schema},"tenant":${JSON.stringify(tenant)},"recordedAt":"${toInstant(recordedAtMs)}","data":`;
    latest = { type, schema, tenant, recordedAtMs, text };
  }
  return latest.text;
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
