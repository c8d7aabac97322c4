import type { SqliteValue } from '#libs/kernel/sqlite.js';

/** What the main thread asks. */
export type VaultRequest =
  | { type: 'open'; file: string }
  | { type: 'exec'; sql: string }
  | { type: 'query'; sql: string; parameters: readonly PackedValue[]; blobs: Uint8Array }
  | { type: 'close' };

/** A parameter; of a blob, from where to where it lies among the blobs. */
export type PackedValue = Exclude<SqliteValue, Uint8Array> | { from: number; to: number };

/** Parameters with their blobs in one piece: each of its own would be copied with whatever else lies in its slab of memory. */
export const packParameters = (
  parameters: readonly SqliteValue[],
): { parameters: PackedValue[]; blobs: Uint8Array } => {
  let size = 0;
  for (const value of parameters) if (value instanceof Uint8Array) size += value.length;
  const blobs = new Uint8Array(size);
  let next = 0;
  const packed = parameters.map((value): PackedValue => {
    if (!(value instanceof Uint8Array)) return value;
    blobs.set(value, next);
    return { from: next, to: (next += value.length) };
  });
  return { parameters: packed, blobs };
};

export const unpackParameters = (parameters: readonly PackedValue[], blobs: Uint8Array): SqliteValue[] => {
  const bytes = Buffer.from(blobs.buffer, blobs.byteOffset, blobs.byteLength);
  return parameters.map((value) =>
    typeof value === 'object' && value !== null ? bytes.subarray(value.from, value.to) : value,
  );
};

/** What came of a statement: rows of one that reads, changes of one that writes. */
export interface SqlAnswer {
  rows: unknown[];
  changes?: number;
}

export type VaultAnswer = SqlAnswer | undefined;

export type ToVaultThread = VaultRequest & { call: number };

export type FromVaultThread =
  { call: number; answer: VaultAnswer } | { call: number; error: { code?: string | undefined; message: string } };
