import type { ItemError } from '#libs/channels/ingest/delivery.js';
import type { InputLine } from './line-reader.js';
import type { Outcome } from './import-state.js';

/** What became of one line. */
export interface LineOutcome {
  outcome: Outcome;
  position?: number;
  /** Of a rejected line. */
  error?: ItemError;
}

/** Where an import hands its contacts over. */
export interface ContactSink {
  /** For people. */
  readonly name: string;
  /** Batches that may be under way at once without changing the order of anybody's contacts. */
  readonly inFlight: number;
  /** Resolves when all that is good of the lines is durable, with one outcome a line. */
  send(lines: readonly InputLine[]): Promise<LineOutcome[]>;
  /** Resolves when the timelines show a position. */
  shown(position: number, report: (shown: number, head: number) => void): Promise<void>;
  close(): Promise<void>;
}
