import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HubError } from '#libs/kernel';
import { writeDurably } from '#libs/kernel/durable-file.js';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import { recall, remember, type EventsFile } from './sqlite/events-file.js';

const PEPPER_BYTES = 32;
const pepperFile = (dir: string): string => join(dir, 'pepper');

/**
 * The installation's pepper, under which all ids are derived. It is created with an empty log, and belongs to the log
 * from then on.
 * @throws HubError `DATA_DIRECTORY.PEPPER_MISMATCH` when the log was written under another one
 */
export const loadPepper = (dir: string, { db }: EventsFile): Buffer => {
  const path = pepperFile(dir);
  const used = hasEvents(db);
  if (!existsSync(path)) {
    if (used) throw mismatch(path, 'is missing');
    writeDurably(path, randomBytes(PEPPER_BYTES));
  }
  const pepper = readFileSync(path);
  if (pepper.length !== PEPPER_BYTES) throw mismatch(path, `holds ${pepper.length} bytes instead of ${PEPPER_BYTES}`);
  const known = recall(db, 'pepper');
  const fingerprint = createHash('sha256').update(pepper).digest('hex');
  if (known === fingerprint) return pepper;
  if (used) throw mismatch(path, 'is not the one this log was written with');
  remember(db, 'pepper', fingerprint);
  return pepper;
};

const hasEvents = (db: SqliteDatabase): boolean => db.prepare('SELECT 1 FROM event LIMIT 1').all([]).length > 0;

const mismatch = (path: string, problem: string): HubError =>
  new HubError(
    'DATA_DIRECTORY.PEPPER_MISMATCH',
    `${path} ${problem}. All ids were derived under the original: without it a contact that arrives again would be ` +
      'recorded a second time, and no customer would be found by an identifier. Restore the file from the backup of ' +
      'this data directory.',
    { facts: { path } },
  );
