import { createHash } from 'node:crypto';

/** How much there is of something, and a fingerprint of all of it. */
export interface Sum {
  count: number;
  /** SHA-256 in hex. */
  checksum: string;
}

/** Adds up rows in their order; bytes count as bytes, whatever holds them. */
export const sumRows = async (rows: AsyncIterable<object> | Iterable<object>): Promise<Sum> => {
  const hash = createHash('sha256');
  let count = 0;
  for await (const row of rows) {
    const values = Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));
    hash.update(JSON.stringify(values.map(bytesAsHex)));
    count += 1;
  }
  return { count, checksum: hash.digest('hex') };
};

export async function* each<T>(pages: AsyncIterable<T[]>): AsyncGenerator<T> {
  for await (const page of pages) yield* page;
}

const bytesAsHex = ([name, value]: [string, unknown]): [string, unknown] => [
  name,
  value instanceof Uint8Array || value instanceof ArrayBuffer
    ? Buffer.from(value as Uint8Array).toString('hex')
    : value,
];
