import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HubError } from '#libs/kernel';
import { writeDurably } from '#libs/kernel/durable-file.js';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import { PEPPER, type Installation } from './installation.js';
import { recall, remember, type EventsFile } from './sqlite/events-file.js';

const PEPPER_BYTES = 32;
/** Where the embedded engine keeps it. */
export const pepperFile = (dir: string): string => join(dir, 'pepper');

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
  const known = recall(db, PEPPER);
  const fingerprint = fingerprintOf(pepper);
  if (known === fingerprint) return pepper;
  if (used) throw mismatch(path, 'is not the one this log was written with');
  remember(db, PEPPER, fingerprint);
  return pepper;
};

/** Tells a pepper from others, and nothing about it. */
export const fingerprintOf = (pepper: Buffer): string => createHash('sha256').update(pepper).digest('hex');

/** @param text 32 bytes in base64, as `HILO_PEPPER` has them */
export const pepperOf = (text: string): Buffer => Buffer.from(text, 'base64');

/**
 * The pepper of a log on a server, which every program is given. The first one of an empty log says which it is.
 * @throws HubError `SETTINGS.INVALID`, `DATA_DIRECTORY.PEPPER_MISMATCH` when the log was written under another one
 */
export const givenPepper = async (
  text: string | undefined,
  log: { shown: string; installation: Installation; head(): Promise<number> },
): Promise<Buffer> => {
  if (text === undefined)
    throw new HubError(
      'SETTINGS.INVALID',
      'HILO_PEPPER: is needed with HILO_EVENT_STORE_URL=esdb://…, the same for every program; ' +
        'for a new log make one with: openssl rand -base64 32',
    );
  const pepper = pepperOf(text);
  const fingerprint = fingerprintOf(pepper);
  const used = (await log.head()) > 0;
  const kept = used ? await log.installation.recall(PEPPER) : await log.installation.keep(PEPPER, fingerprint);
  if (kept === fingerprint) return pepper;
  throw otherPepper(
    'HILO_PEPPER',
    kept === undefined
      ? `is unknown to the log at ${log.shown}, which holds events already; run hilo migrate for that log to its end`
      : `is not the one of the log at ${log.shown}`,
    'Set it as the other programs have it; of a log that was migrated it is the file "pepper" of the data directory, in base64.',
  );
};

const hasEvents = (db: SqliteDatabase): boolean => db.prepare('SELECT 1 FROM event LIMIT 1').all([]).length > 0;

const mismatch = (path: string, problem: string): HubError =>
  otherPepper(path, problem, 'Restore the file from the backup of this data directory.', { path });

const otherPepper = (what: string, problem: string, remedy: string, facts = {}): HubError =>
  new HubError(
    'DATA_DIRECTORY.PEPPER_MISMATCH',
    `${what} ${problem}. All ids were derived under the original: without it a contact that arrives again would be ` +
      `recorded a second time, and no customer would be found by an identifier. ${remedy}`,
    { facts },
  );
