import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import type { ItemError } from '#libs/channels/ingest/delivery.js';

/** A line that was not taken, as it is written down. */
export interface RejectedLine {
  line: number;
  error: ItemError;
  /** The line, unchanged. */
  input: string;
  /** Input file, where several share one file of rejects. */
  file?: string;
  /** Only the beginning of the line is kept. */
  cut?: true;
}

/** Lines that were not taken, one JSON object each; the file appears with the first of them. */
export class RejectsFile {
  private descriptor: number | undefined;

  /** @param size how much of an existing file is kept: what an interrupted import had written when it was saved. */
  constructor(
    readonly path: string,
    public size: number,
  ) {
    if (size === 0) rmSync(path, { force: true });
    else this.open();
  }

  write(rejected: readonly RejectedLine[]): void {
    if (rejected.length === 0) return;
    const bytes = Buffer.from(rejected.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const descriptor = this.descriptor ?? this.open();
    for (let written = 0; written < bytes.length;)
      written += writeSync(descriptor, bytes, written, bytes.length - written, this.size + written);
    this.size += bytes.length;
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private open(): number {
    // Not appending: writes go to their place, also after a kill between two saved states.
    this.descriptor = openSync(this.path, this.size === 0 ? 'w' : 'r+', 0o600);
    ftruncateSync(this.descriptor, this.size);
    return this.descriptor;
  }
}
