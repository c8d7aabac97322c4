import { existsSync } from 'node:fs';
import { isRetryable, LIMITS, messageOf } from '#libs/kernel';
import { failure, interrupted } from '../errors.js';
import { grouped, perSecond } from '../format/table.js';
import type { Progress } from '../progress.js';
import type { ContactSink, LineOutcome } from './contact-sink.js';
import {
  addCounts,
  noCounts,
  totalOf,
  type ImportState,
  type ImportStateFile,
  type OutcomeCounts,
} from './import-state.js';
import { openLines, type InputLine, type LineInput } from './line-reader.js';
import { textOf } from './read-item.js';
import { RejectsFile, type RejectedLine } from './rejects-file.js';

export interface ImportPlan {
  /** In this order. */
  files: readonly { file: string; state: ImportStateFile }[];
  sink: ContactSink;
  /** Lines handed over at once. */
  batch: number;
  /** One file for what is rejected of all files. @default `FILE.rejects.ndjson` beside each */
  rejects?: string;
  progress: Progress;
  signal: AbortSignal;
  /** Hears what an operator wants to know meanwhile. */
  say: (line: string) => void;
}

export interface ImportReport {
  /** Of this call and of the interrupted ones that it went on from. */
  counts: OutcomeCounts;
  /** Items handed over by this call. */
  items: number;
  elapsedMs: number;
  lastPosition: number;
  rejectsFiles: string[];
}

interface Batch {
  lines: InputLine[];
  /** Where the line after the batch begins. */
  end: number;
  lastLine: number;
}

/** Imports files one after the other, each from where it was left; at the end waits until the timelines show it. */
export const importFiles = async (plan: ImportPlan): Promise<ImportReport> => {
  const report: ImportReport = { counts: noCounts(), items: 0, elapsedMs: 0, lastPosition: 0, rejectsFiles: [] };
  const startedMs = Date.now();
  let sharedRejects = 0;
  for (const { file, state: stateFile } of plan.files) {
    const state = stateFile.load();
    if (plan.rejects !== undefined && state.place.offset === 0) state.rejectsBytes = sharedRejects;
    if (!state.done) await importFile(plan, file, state, stateFile, report, startedMs);
    sharedRejects = state.rejectsBytes;
    addCounts(report.counts, state.counts);
    report.lastPosition = Math.max(report.lastPosition, state.lastPosition);
    const rejects = rejectsOf(plan, file);
    if (state.counts.rejected > 0 && !report.rejectsFiles.includes(rejects)) report.rejectsFiles.push(rejects);
  }
  report.elapsedMs = Date.now() - startedMs;
  if (report.lastPosition > 0)
    await plan.sink.shown(report.lastPosition, (shown, head) =>
      plan.progress.update(
        shown,
        head,
        `everything is recorded; the timelines show ${grouped(shown)} of ${grouped(head)}`,
      ),
    );
  for (const { state } of plan.files) state.remove();
  return report;
};

const rejectsOf = ({ rejects }: ImportPlan, file: string): string => rejects ?? `${file}.rejects.ndjson`;

const importFile = async (
  plan: ImportPlan,
  file: string,
  state: ImportState,
  stateFile: ImportStateFile,
  report: ImportReport,
  startedMs: number,
): Promise<void> => {
  const { sink, progress, signal } = plan;
  if (state.place.offset > 0)
    plan.say(`going on with ${file} after line ${grouped(state.place.lines)} (--restart begins anew)`);
  const rejectsPath = rejectsOf(plan, file);
  if (state.rejectsBytes > 0 && !existsSync(rejectsPath)) state.rejectsBytes = 0;
  const rejects = new RejectsFile(rejectsPath, state.rejectsBytes);
  const input = await openLines(file, state.place);
  const named = plan.rejects !== undefined && plan.files.length > 1 ? { file } : {};

  const settle = async ({ batch, sent }: { batch: Batch; sent: Promise<LineOutcome[]> }): Promise<void> => {
    const outcomes = await sent;
    const refused: RejectedLine[] = [];
    for (const [index, { outcome, position, error }] of outcomes.entries()) {
      state.counts[outcome] += 1;
      if (position !== undefined && position > state.lastPosition) state.lastPosition = position;
      const line = batch.lines[index]!;
      if (outcome === 'rejected' && error)
        refused.push({
          line: line.number,
          error,
          input: textOf(line.bytes),
          ...named,
          ...(line.cut && { cut: true as const }),
        });
    }
    rejects.write(refused);
    state.rejectsBytes = rejects.size;
    state.place = { lines: batch.lastLine, offset: batch.end };
    stateFile.save(state);
    report.items += outcomes.length;
    progress.update(input.bytesRead(), input.size, figures(state, report.items, startedMs));
  };

  const underWay: { batch: Batch; sent: Promise<LineOutcome[]> }[] = [];
  try {
    for await (const batch of batchesOf(input, plan.batch)) {
      if (signal.aborted) break;
      const sent = sink.send(batch.lines);
      // Settled in order below; until then a failure is nobody's.
      sent.catch(() => undefined);
      underWay.push({ batch, sent });
      if (underWay.length >= sink.inFlight) await settle(underWay.shift()!);
    }
    while (underWay.length > 0) await settle(underWay.shift()!);
  } catch (error) {
    await Promise.allSettled(underWay.map(({ sent }) => sent));
    throw state.place.lines > 0 || isRetryable(error)
      ? failure(`${file}: ${messageOf(error)} (after line ${state.place.lines}; the same command goes on from there)`)
      : error;
  } finally {
    rejects.close();
    await input.lines.return(undefined);
  }
  if (signal.aborted)
    throw interrupted(
      `stopped after line ${grouped(state.place.lines)} of ${file}; the same command goes on from there`,
    );
  state.done = true;
  stateFile.save(state);
};

const figures = (state: ImportState, items: number, startedMs: number): string => {
  const { rejected } = state.counts;
  return `${grouped(totalOf(state.counts))} contacts, ${perSecond(items, Date.now() - startedMs)}/s${rejected > 0 ? `, ${grouped(rejected)} rejected` : ''}`;
};

/** Lines that are not blank, so many at once, or fewer of the large ones. */
async function* batchesOf({ lines }: LineInput, most: number): AsyncGenerator<Batch> {
  let batch: InputLine[] = [];
  let bytes = 0;
  let last: InputLine | undefined;
  for await (const line of lines) {
    const full = batch.length >= most || (batch.length > 0 && bytes + line.bytes.length + 1 > LIMITS.batchBytes);
    if (full && last) {
      yield { lines: batch, end: last.end, lastLine: last.number };
      batch = [];
      bytes = 0;
    }
    last = line;
    if (isBlank(line.bytes)) continue;
    batch.push(line);
    bytes += line.bytes.length + 1;
  }
  if (last && batch.length > 0) yield { lines: batch, end: last.end, lastLine: last.number };
}

const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0x20 || byte === 0x09);
