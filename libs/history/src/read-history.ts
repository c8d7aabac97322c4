import type { Position } from '#libs/event-store';
import { HubError, type Uuid } from '#libs/kernel';
import { matches, type HistoryFilter } from './history-filter.js';
import { readRows, type HistoryLog, type HistoryRow } from './history-log.js';

export interface HistoryProgress {
  /** How far the log has been read. */
  position: Position;
  /** Where reading ends: pinned when it started. */
  head: Position;
  /** Events that matched so far. */
  events: number;
}

export interface HistoryRunOptions {
  filter?: HistoryFilter;
  /** Called after every batch, a matching event in it or not. */
  onProgress?: (progress: HistoryProgress) => void;
  /** Stops between two batches with `HISTORY.ABORTED`. */
  signal?: AbortSignal;
  /** Events read at once, 1 to 5000; a few hundred leave the least behind to be collected. @default 200 */
  batchSize?: number;
}

/** The last event read, matching or not, and the position before it: enough to find it again and see that it is the same. */
export interface LogMark {
  after: Position;
  position: Position;
  id: Uuid;
}

export interface HistoryBatch {
  /** Those of the batch that match, in order. */
  rows: HistoryRow[];
  position: Position;
  /** Absent in the closing batch, which only says that the end was reached. */
  mark?: LogMark;
}

/** Where a reading of the log that starts now ends: the newest event, or the filter's last position before it. */
export const endOf = async (log: HistoryLog, filter: HistoryFilter): Promise<Position> => {
  const head = await log.head();
  return filter.toPosition === undefined ? head : Math.min(head, filter.toPosition);
};

/** Bounds of one reading: exclusive start, inclusive end. */
export interface HistorySpan {
  after: Position;
  through: Position;
}

/** The span of a filter; a position is excluded by the one before it whether or not that one holds an event. */
export const spanOf = async (log: HistoryLog, filter: HistoryFilter): Promise<HistorySpan> => ({
  after: Math.max(0, (filter.fromPosition ?? 0) - 1),
  through: await endOf(log, filter),
});

/** Everything in a span that a store can select by itself: a superset of what matches. */
export const rowsOf = (
  log: HistoryLog,
  span: HistorySpan,
  { tenant, types }: HistoryFilter,
  batchSize: number,
): AsyncIterable<HistoryRow[]> =>
  readRows(log, { ...span, batchSize, ...(tenant !== undefined && { tenant }), ...(types !== undefined && { types }) });

/**
 * The matching part of the log in order, batch by batch, in constant memory.
 * @throws HubError `HISTORY.ABORTED` when the signal fires
 */
export async function* readHistory(
  log: HistoryLog,
  span: HistorySpan,
  { filter = {}, signal, batchSize = 200 }: Omit<HistoryRunOptions, 'onProgress'>,
): AsyncGenerator<HistoryBatch, void, void> {
  let position = span.after;
  refuseAborted(signal, position, span.through);
  if (span.after >= span.through) return;
  const batches = rowsOf(log, span, filter, batchSize);
  for await (const batch of batches) {
    const last = batch.at(-1);
    if (last === undefined) {
      refuseAborted(signal, position, span.through);
      continue;
    }
    const mark: LogMark = { after: batch.at(-2)?.position ?? position, position: last.position, id: last.id };
    position = last.position;
    yield { rows: batch.filter((row) => matches(row, filter)), position, mark };
    refuseAborted(signal, position, span.through);
  }
  yield { rows: [], position: span.through };
}

const refuseAborted = (signal: AbortSignal | undefined, position: Position, through: Position): void => {
  if (signal?.aborted)
    throw new HubError('HISTORY.ABORTED', `stopped at position ${position} of ${through}`, {
      facts: { position, through },
    });
};
