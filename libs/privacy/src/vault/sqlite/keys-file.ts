import { chmodSync } from 'node:fs';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';

/** Opens the file that the keys are in. Commits are synced; scattered short rows write less of small pages. */
export const openKeysFile = (file: string, readonly = false): SqliteDatabase => {
  const sqlite = openSqlite(file, { readonly, synchronous: 'full', cacheKiB: 4096, pageBytes: 4096 });
  if (!readonly) chmodSync(file, 0o600);
  return sqlite;
};
