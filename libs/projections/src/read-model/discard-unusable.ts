import { existsSync, rmSync } from 'node:fs';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { PROJECTOR, READ_MODEL_VERSION } from './read-model.port.js';

/**
 * Removes an embedded read model that cannot go on from where it is: of another shape, or ahead of a log that was put
 * back to an older state. It is derived, so the projector folds it anew. Call it before anybody has it open.
 * @returns why it was removed
 */
export const discardUnusable = (file: string, head: number): string | undefined => {
  if (!existsSync(file)) return undefined;
  const db = openSqlite(file);
  let why: string | undefined;
  try {
    const place = db
      .prepare('SELECT version, position FROM checkpoint WHERE name = ?')
      .first<{ version: number; position: number }>([PROJECTOR]);
    if (place && place.version !== READ_MODEL_VERSION)
      why = `it has shape ${place.version}, this release writes ${READ_MODEL_VERSION}`;
    else if (place && place.position > head) why = `it shows position ${place.position}, the log ends at ${head}`;
  } catch {
    // A file without a checkpoint table was never filled.
  } finally {
    db.close();
  }
  if (why !== undefined) for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  return why;
};
