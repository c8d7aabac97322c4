import type { Position, StreamId, StreamRevision } from '#libs/event-store';
import { LruMap, toInstant, type Instant, type Uuid } from '#libs/kernel';
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
  return (
    `{"position":${row.position},"stream":"${row.stream}","revision":${row.revision},"id":"${row.id}",` +
    `"type":${quoted(row.type)},"schema":${row.schema},"tenant":${quoted(row.tenant)},` +
    `"recordedAt":"${instantOf(row.recordedAtMs)}","data":${data}}\n`
  );
};

// Few types and tenants stand in many lines, and events of one commit share their instant.
const texts = new LruMap<string, string>(2000);

const quoted = (text: string): string => {
  const known = texts.get(text);
  if (known !== undefined) return known;
  const json = JSON.stringify(text);
  texts.set(text, json);
  return json;
};

let latest = { ms: Number.NaN, instant: '' };

const instantOf = (ms: number): Instant => {
  if (latest.ms !== ms) latest = { ms, instant: toInstant(ms) };
  return latest.instant;
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
