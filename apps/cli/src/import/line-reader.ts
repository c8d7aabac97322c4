import { open, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** One line of an input, and where the next one begins. */
export interface InputLine {
  /** From 1. */
  number: number;
  /** Without line end; cut to `MAX_LINE_BYTES`. */
  bytes: Buffer;
  /** Whether more of it followed. */
  cut: boolean;
  /** Offset after its line end in the uncompressed input. */
  end: number;
}

/** Where reading goes on. */
export interface LinePlace {
  /** Lines before it. */
  lines: number;
  /** Bytes of the uncompressed input before it. */
  offset: number;
}

export interface LineInput {
  lines: AsyncGenerator<InputLine>;
  /** Bytes of the file read so far, as they lie on the disk. */
  bytesRead(): number;
  /** Bytes of the file. */
  size: number;
}

/** No acceptable item is longer, whatever white space and escapes it is written with; a file without line ends must not fill the memory. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The lines of a file, gzip or not, from a place on. Memory holds one line and one chunk.
 * @throws what the file system says; `Z_DATA_ERROR` and its like for a damaged gzip
 */
export const openLines = async (file: string, from: LinePlace = { lines: 0, offset: 0 }): Promise<LineInput> => {
  const { size } = await stat(file);
  const compressed = await isGzip(file);
  const raw = createReadStream(file, { start: compressed ? 0 : Math.min(from.offset, size) });
  let read = compressed ? 0 : from.offset;
  raw.on('data', (chunk) => (read += chunk.length));
  const chunks = compressed ? raw.pipe(createGunzip()) : raw;
  // Piping passes data on, but not failures.
  if (chunks !== raw) raw.on('error', (error) => chunks.destroy(error));
  const bytes = compressed ? skipped(chunks, from.offset) : chunks;
  return { lines: linesOf(bytes as AsyncIterable<Buffer>, from), bytesRead: () => read, size };
};

const isGzip = async (file: string): Promise<boolean> => {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
};

async function* skipped(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left > 0 ? chunk.subarray(left) : chunk;
      left = 0;
    }
  }
}

/** Divides a stream of bytes at its line feeds; a line end before the end of the stream is not asked for. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, from: LinePlace): AsyncGenerator<InputLine> {
  let { lines: number, offset } = from;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (end: number): InputLine => {
    let bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const cut = length > bytes.length;
    if (!cut && bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    parts = [];
    length = 0;
    number += 1;
    return { number, bytes, cut, end };
  };
  const keep = (part: Buffer): void => {
    const room = MAX_LINE_BYTES - length;
    if (room > 0) parts.push(part.length <= room ? part : part.subarray(0, room));
    length += part.length;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, at));
      start = at + 1;
      yield take(offset + start);
    }
    if (start < chunk.length) keep(chunk.subarray(start));
    offset += chunk.length;
  }
  if (length > 0) yield take(offset);
}
