import { open, rename, rm, stat, readFile, writeFile, type FileHandle } from 'node:fs/promises';
import { finished, type Writable } from 'node:stream';
import type { Position } from '#libs/event-store';
import { HubError, codeOf } from '#libs/kernel';
import { filterFacts, type HistoryFilter } from './history-filter.js';
import { historyLine } from './history-line.js';
import type { HistoryLog } from './history-log.js';
import { readHistory, rowsOf, spanOf, type HistoryRunOptions, type HistorySpan, type LogMark } from './read-history.js';

export interface ExportReport {
  /** Lines written. */
  events: number;
  /** Where reading ended: exporting again through this position gives the same bytes. */
  position: Position;
}

/**
 * Writes the filtered log to a stream, one line per event, no faster than it drains and in constant memory. The
 * stream stays open: it may be standard output.
 * @throws HubError `HISTORY.ABORTED`; the stream's own error (`EPIPE` when the reader has gone), `ERR_STREAM_PREMATURE_CLOSE`
 */
export const exportHistory = async (
  log: HistoryLog,
  output: Writable,
  options: HistoryRunOptions = {},
): Promise<ExportReport> => {
  const span = await spanOf(log, options.filter ?? {});
  const sink = new StreamSink(output);
  let events = 0;
  try {
    for await (const { rows, position } of readHistory(log, span, options)) {
      if (rows.length > 0) await sink.write(rows.map(historyLine).join(''));
      events += rows.length;
      options.onProgress?.({ position, head: span.through, events });
    }
    await sink.flush();
    return { events, position: span.through };
  } finally {
    sink.release();
  }
};

/** Awaits a Writable's room; a failure between two writes is kept for the next one instead of crashing the process. */
class StreamSink {
  private failure: Error | undefined;
  private wake: (() => void) | undefined;
  private readonly stopListening: () => void;

  constructor(private readonly output: Writable) {
    const stop = finished(output, { readable: false }, (error) => {
      this.failure ??=
        error ?? Object.assign(new Error('the output was closed'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
      this.wake?.();
    });
    const drained = (): void => this.wake?.();
    output.on('drain', drained);
    this.stopListening = () => {
      output.off('drain', drained);
      stop();
    };
  }

  async write(text: string): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.output.write(text)) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
    if (this.failure) throw this.failure;
  }

  /** Resolves when everything written has left, so that a late failure is still reported here. */
  async flush(): Promise<void> {
    if (this.failure) throw this.failure;
    await new Promise<void>((resolve, reject) => {
      this.output.write('', (error) => (error ? reject(error) : resolve()));
    });
  }

  release(): void {
    this.stopListening();
  }
}

export interface FileExportOptions extends HistoryRunOptions {
  /** Replaces a finished file, and discards the leftover of another export. @default false */
  force?: boolean;
  /** Lines between two saved points, from which an interrupted export goes on. @default 10000 */
  saveEvery?: number;
}

export interface FileExportReport extends ExportReport {
  file: string;
  bytes: number;
  /** Position after which an interrupted export went on; absent when it started anew. */
  resumedAfter?: Position;
}

/** What lies beside an unfinished file. `bytes` always ends a line. */
interface SavedPoint {
  version: 1;
  filter: Record<string, string>;
  span: HistorySpan;
  events: number;
  bytes: number;
  mark?: LogMark;
}

/** Names of the unfinished file and of the saved point of an export to `file`. */
export const partialOf = (file: string): { partial: string; state: string } => ({
  partial: `${file}.partial`,
  state: `${file}.partial.json`,
});

/**
 * Writes the filtered log to a file that appears under its name only when it is complete. An interrupted call leaves
 * `FILE.partial` and `FILE.partial.json`; the same call again goes on from there to the end that was pinned at the
 * start, so that the file has the bytes of one uninterrupted export.
 * @throws HubError `HISTORY.FILE_EXISTS`, `HISTORY.RESUME_MISMATCH` naming what differs, `HISTORY.ABORTED`
 */
export const exportToFile = async (
  log: HistoryLog,
  file: string,
  options: FileExportOptions = {},
): Promise<FileExportReport> => {
  const { partial, state } = partialOf(file);
  const filter = options.filter ?? {};
  if (!options.force && (await sizeOf(file)) !== undefined)
    throw new HubError('HISTORY.FILE_EXISTS', `${file} exists; choose another name, or replace it with --force`, {
      facts: { file },
    });

  const saved = await resumable(log, file, filter, options.force ?? false);
  const point: SavedPoint = saved ?? {
    version: 1,
    filter: filterFacts(filter),
    span: await spanOf(log, filter),
    events: 0,
    bytes: 0,
  };
  const resumedAfter = saved?.mark?.position;
  const span = { after: resumedAfter ?? point.span.after, through: point.span.through };

  const handle = await open(partial, saved ? 'r+' : 'w');
  try {
    await handle.truncate(point.bytes);
    const lines = new FileLines(handle, point.bytes);
    let saving = Promise.resolve();
    // Resolves when the saving has begun: the disk takes in what is there while the next lines are made.
    const save = async (): Promise<void> => {
      await saving;
      point.bytes = await lines.written();
      saving = savePoint(handle, state, { ...point });
      saving.catch(() => undefined); // whoever waits for it next hears of it
    };
    await save();
    let unsaved = 0;
    try {
      for await (const { rows, position, mark } of readHistory(log, span, options)) {
        if (rows.length > 0) await lines.add(rows.map(historyLine).join(''));
        point.events += rows.length;
        if (mark) point.mark = mark;
        unsaved += rows.length;
        if (unsaved >= (options.saveEvery ?? 10_000)) {
          await save();
          unsaved = 0;
        }
        options.onProgress?.({ position, head: span.through, events: point.events });
      }
      await saving;
    } catch (error) {
      if (codeOf(error) === 'HISTORY.ABORTED') await save().then(() => saving);
      await saving.catch(() => undefined);
      throw error;
    }
    point.bytes = await lines.written();
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
  await rm(state, { force: true });
  return {
    file,
    events: point.events,
    position: span.through,
    bytes: point.bytes,
    ...(resumedAfter !== undefined && { resumedAfter }),
  };
};

const sizeOf = async (file: string): Promise<number | undefined> => {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

/** The point to go on from, or undefined where there is nothing usable and the export starts anew. */
const resumable = async (
  log: HistoryLog,
  file: string,
  filter: HistoryFilter,
  force: boolean,
): Promise<SavedPoint | undefined> => {
  const { partial, state } = partialOf(file);
  const [point, bytes] = [await readPoint(state), await sizeOf(partial)];
  // Fewer bytes than were saved, after a power cut for example: nothing of it can be trusted.
  if (point === undefined || bytes === undefined || bytes < point.bytes) return undefined;
  const difference =
    differenceOf(point.filter, filterFacts(filter)) ??
    ((await sameLog(log, filter, point.mark)) ? undefined : 'it was read from another log');
  if (difference === undefined) return point;
  if (force) return undefined;
  throw new HubError(
    'HISTORY.RESUME_MISMATCH',
    `${partial} cannot be continued: ${difference}; repeat the call that started it, choose another name, or start anew with --force`,
    { facts: { file } },
  );
};

const readPoint = async (state: string): Promise<SavedPoint | undefined> => {
  try {
    const point = JSON.parse(await readFile(state, 'utf8')) as Partial<SavedPoint>;
    return point.version === 1 ? (point as SavedPoint) : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
};

const told = (key: string, value: string | undefined): string =>
  value === undefined ? 'absent' : key === 'customer' ? `${value.split(',').length} ids` : value;

const differenceOf = (before: Record<string, string>, now: Record<string, string>): string | undefined => {
  const differing = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (key) => before[key] !== now[key],
  );
  if (differing.length === 0) return undefined;
  return differing.map((key) => `${key} was ${told(key, before[key])} and is ${told(key, now[key])}`).join(', ');
};

const sameLog = async (log: HistoryLog, filter: HistoryFilter, mark: LogMark | undefined): Promise<boolean> => {
  if (mark === undefined) return true;
  for await (const batch of rowsOf(log, { after: mark.after, through: mark.position }, filter, 1)) {
    if (batch.some((row) => row.position === mark.position && row.id === mark.id)) return true;
  }
  return false;
};

const CHUNK_BYTES = 256 * 1024;

/** Gathers lines and writes them in large pieces; one piece is on its way to the file while the next one is gathered. */
class FileLines {
  private gathered = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private spare = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private length = 0;
  private writing: Promise<void> = Promise.resolve();

  /** @param end where in the file the next line goes */
  constructor(
    private readonly handle: FileHandle,
    private end: number,
  ) {}

  async add(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text);
    if (this.length + bytes > CHUNK_BYTES) await this.send();
    if (bytes > CHUNK_BYTES) await this.write(Buffer.from(text));
    else this.length += this.gathered.write(text, this.length);
  }

  /** Resolves with the length of the file when everything added is in it. */
  async written(): Promise<number> {
    await this.send();
    await this.writing;
    return this.end;
  }

  private async send(): Promise<void> {
    const full = this.gathered.subarray(0, this.length);
    [this.gathered, this.spare] = [this.spare, this.gathered];
    this.length = 0;
    await this.write(full);
  }

  /** Resolves when the piece before this one is in the file; a failure shows at the next call. */
  private async write(bytes: Buffer): Promise<void> {
    await this.writing;
    this.writing = writeAt(this.handle, bytes, this.end);
    this.writing.catch(() => undefined);
    this.end += bytes.length;
  }
}

const writeAt = async (handle: FileHandle, bytes: Buffer, at: number): Promise<void> => {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
  }
};

// The lines reach the disk before the point that counts on them, and the point replaces its predecessor at once.
const savePoint = async (handle: FileHandle, state: string, point: SavedPoint): Promise<void> => {
  await handle.datasync();
  await writeFile(`${state}.tmp`, JSON.stringify(point));
  await rename(`${state}.tmp`, state);
};
