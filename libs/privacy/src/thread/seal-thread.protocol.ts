import type { SqliteValue } from '#libs/kernel/sqlite.js';

/** What the main thread asks. Jobs travel as lists of one kind each: cheaper to copy than objects. */
export type SealRequest =
  | { type: 'seal'; secrets: Uint8Array; versions: number[]; bounds: string[]; texts: string[] }
  | { type: 'open'; file: string }
  | { type: 'exec'; sql: string }
  | { type: 'query'; sql: string; parameters: readonly SqliteValue[] }
  | { type: 'close' };

/** What came of a statement: rows of one that reads, changes of one that writes. */
export interface SqlAnswer {
  rows: unknown[];
  changes?: number;
}

export type SealAnswer = string[] | SqlAnswer | undefined;

export type ToSealThread = SealRequest & { call: number };

export type FromSealThread =
  { call: number; answer: SealAnswer } | { call: number; error: { code?: string | undefined; message: string } };
