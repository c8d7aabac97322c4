import { HubError } from '#libs/kernel';
import type { CopyTarget, EventLog, RawEvent, RawEventLog } from '../event-log.port.js';
import type { Position } from '../event-store.port.js';
import { LogSummer, type LogChecksum } from './log-checksum.js';

/** A log whose positions count its events: an embedded one. */
export type CopySource = Pick<EventLog, 'read' | 'head'> & RawEventLog;

export interface CopyOptions {
  /** Appends under way at a time; 1 keeps the order across streams too. */
  inFlight: number;
  signal?: AbortSignal;
  onProgress?: (position: Position, head: Position) => void;
}

export interface CopyResult {
  /** Position of the source through which the target holds everything. */
  through: Position;
  /** Events sent by this run; those that the target had already count too. */
  sent: number;
  /** False when the signal ended it before the head of the source. */
  complete: boolean;
}

export interface CopyComparison {
  source: LogChecksum;
  target: LogChecksum;
  /** The same events at the same places of their streams. */
  same: boolean;
  /** In the same order across streams too. */
  sameOrder: boolean;
}

/** Events that are appended, and waited for, together: how far a run that was broken off has to be repeated. */
const WINDOW = 500;
/** Bytes of one append, far below what servers take; an event may be larger and goes alone. */
const APPEND_BYTES = 512 * 1024;

/**
 * Copies a log to its present head: ids, streams with their revisions, types, schemas, tenants, instants and data, as
 * they lie there (sealed). Repeatable at any time: what the target has is recognised and stored once.
 * @throws HubError `COPY.OTHER_LOG` when the target holds events that the source does not
 */
export const copyLog = async (source: CopySource, target: CopyTarget, options: CopyOptions): Promise<CopyResult> => {
  const head = await source.head();
  let through = await resumeAfter(source, target);
  let sent = 0;
  for await (const window of source.readAllRaw({ after: through, through: head, batchSize: WINDOW })) {
    if (options.signal?.aborted) return { through, sent, complete: false };
    await appendWindow(target, window, options.inFlight);
    through = window.at(-1)!.position;
    sent += window.length;
    options.onProgress?.(through, head);
  }
  return { through, sent, complete: true };
};

/** Reads both logs and compares them, the source through a position. */
export const compareLogs = async (
  source: CopySource,
  target: CopyTarget,
  through: Position,
  { signal, onProgress }: Pick<CopyOptions, 'signal' | 'onProgress'> = {},
): Promise<CopyComparison | undefined> => {
  const targetHead = await target.head();
  const sums: LogChecksum[] = [];
  for (const [log, end] of [
    [source, through],
    [target, targetHead],
  ] as const) {
    const summer = new LogSummer();
    for await (const events of log.readAllRaw({ after: 0, through: end })) {
      if (signal?.aborted) return undefined;
      for (const event of events) summer.add(event);
      onProgress?.(events.at(-1)!.position, end);
    }
    sums.push(summer.checksum);
  }
  const [from, to] = sums as [LogChecksum, LogChecksum];
  const same = from.events === to.events && from.content === to.content;
  return { source: from, target: to, same, sameOrder: same && from.order === to.order };
};

/**
 * Where to go on: before the window in which the newest event of the target lies.
 * @throws HubError `COPY.OTHER_LOG` when the source does not hold that event
 */
export const resumeAfter = async (
  source: Pick<CopySource, 'read'>,
  target: Pick<CopyTarget, 'newest'>,
): Promise<Position> => {
  const newest = await target.newest();
  if (!newest) return 0;
  const { stream, revision, id } = newest;
  const original = (await source.read(stream))[revision];
  if (original?.id !== id)
    throw new HubError('COPY.OTHER_LOG', `the target holds ${stream}@${revision}, which is not of this log`, {
      facts: { stream, revision },
    });
  return Math.max(0, original.position - WINDOW);
};

const appendWindow = async (target: CopyTarget, window: readonly RawEvent[], inFlight: number): Promise<void> => {
  const appends = appendsOf(window);
  let next = 0;
  // Called in the order of the log; the target keeps that order within a stream.
  const worker = async (): Promise<void> => {
    for (let events = appends[next++]; events; events = appends[next++]) {
      const { stream, revision } = events[0]!;
      await target.append(
        stream,
        events.map((event) => ({ ...event, data: {} })),
        revision === 0 ? 'no_stream' : revision - 1,
      );
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
};

/** Neighbours of one stream go together. */
const appendsOf = (window: readonly RawEvent[]): RawEvent[][] => {
  const appends: RawEvent[][] = [];
  let bytes = 0;
  for (const event of window) {
    const last = appends.at(-1);
    const size = Buffer.byteLength(event.json);
    bytes += size;
    if (last && last[0]!.stream === event.stream && bytes <= APPEND_BYTES) last.push(event);
    else {
      appends.push([event]);
      bytes = size;
    }
  }
  return appends;
};
