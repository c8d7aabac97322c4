import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPostgres } from '#libs/kernel/postgres.js';

/** Said of a server whose files are not on this machine. */
export const ELSEWHERE = 'elsewhere';

/**
 * Which of some values lie in the files of a server's databases, its statistics with them, once it has written out what it
 * holds in memory. Its write-ahead log is not looked at.
 */
export const inServerFiles = async (
  url: string,
  values: readonly (string | Buffer)[],
): Promise<boolean[] | typeof ELSEWHERE> => {
  const session = await connectPostgres({ url, schema: 'public', room: 'TEST' });
  await session.query('CHECKPOINT');
  const { rows } = await session.query<{ data_directory: string }>('SHOW data_directory');
  session.release();
  const base = join(rows[0]!.data_directory, 'base');
  const names = await readdir(base, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (!names) return ELSEWHERE;
  const found = values.map(() => false);
  for (const name of names.filter((entry) => entry.isFile())) {
    // What was replaced may be removed while it is looked at.
    const bytes = await readFile(join(name.parentPath, name.name)).catch(() => Buffer.alloc(0));
    values.forEach((value, index) => (found[index] ||= bytes.includes(value)));
  }
  return found;
};
