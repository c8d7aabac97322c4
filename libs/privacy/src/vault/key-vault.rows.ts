// Rows a statement: well below what engines allow as parameters.
const BATCH = 500;

/** Drivers hand blobs out as either type. */
export const bufferOf = (bytes: Buffer | ArrayBuffer): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(new Uint8Array(bytes));

/** What one statement takes at once. */
export const batches = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / BATCH) }, (_, i) => all.slice(i * BATCH, (i + 1) * BATCH));
