import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a file that only its owner may read (mode 0600), durable with its name before this returns; never half of it. */
export const writeDurably = (path: string, content: Buffer): void => {
  const aside = `${path}.new`;
  // What a crash has left may have another mode.
  rmSync(aside, { force: true });
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameDurably(aside, path);
};

/** A new name that a power cut cannot take back. */
export const renameDurably = (from: string, to: string): void => {
  renameSync(from, to);
  const directory = openSync(dirname(to), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
};
