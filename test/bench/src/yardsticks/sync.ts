import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { perSecond } from '../load/batches.js';

/** Syncs a second of one file that grows by a page each time: what a disk gives to whoever waits for every write. */
export const syncsPerSecond = (file: string, syncs: number): number => {
  const page = Buffer.alloc(4096, 1);
  const descriptor = openSync(file, 'w');
  try {
    const startedAt = performance.now();
    for (let i = 0; i < syncs; i++) {
      writeSync(descriptor, page);
      fdatasyncSync(descriptor);
    }
    return perSecond(syncs, performance.now() - startedAt);
  } finally {
    closeSync(descriptor);
  }
};
