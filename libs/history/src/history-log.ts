import type { EventStore, RawEvent, RawEventLog, ReadAllOptions, StoredEvent } from '#libs/event-store';

/** An event as either kind of reader hands it over: with parsed `data`, or with the stored text in `json`. */
export type HistoryRow = StoredEvent | RawEvent;

/**
 * The log that history is read from: any `EventStore`, or a read-only reader of its file. Where it also hands out raw
 * events, an export copies their text instead of parsing and writing it again; the text is what `JSON.stringify`
 * gives for the data.
 */
export interface HistoryLog extends Pick<EventStore, 'readAll' | 'head'>, Partial<RawEventLog> {}

/** Batches of rows, raw where the log can. */
export const readRows = (log: HistoryLog, options: ReadAllOptions): AsyncIterable<HistoryRow[]> =>
  log.readAllRaw ? log.readAllRaw(options) : log.readAll(options);

/** The data of a row, parsed when it is not yet. */
export const dataOf = (row: HistoryRow): object => ('json' in row ? (JSON.parse(row.json) as object) : row.data);
