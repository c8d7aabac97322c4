import type { PostgresPool } from '#libs/kernel/postgres.js';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import { SUMMARY_COLUMNS, type ParkedRow } from '../parked/parked-row.js';

/** A parked message as it lies in its table, sealed. */
export interface RawParkedRow extends ParkedRow {
  id: Buffer;
  bytes: Buffer;
}

type Numbered = ParkedRow & { number: number; bytes: Buffer | ArrayBuffer };

/** Rows read at once: few, since each may hold a mail with all it carries. */
const PAGE = 8;
const COLUMNS = [...SUMMARY_COLUMNS.split(', '), 'bytes'] as const;
const PAGE_AFTER = `SELECT number, ${COLUMNS.join(', ')} FROM parked WHERE number > $1 ORDER BY number LIMIT ${PAGE}`;

/** The parked messages of an `events.db`, in their order. */
export const parkedRowsIn = (db: SqliteDatabase): AsyncGenerator<RawParkedRow> =>
  rowsBy(async (after) => db.prepare(PAGE_AFTER.replace('$1', '?')).all<Numbered>([after]));

/** The same of a database (`openOperations`). */
export const parkedRowsOf = (pool: PostgresPool): AsyncGenerator<RawParkedRow> =>
  rowsBy(async (after) => (await pool.query<Numbered>(PAGE_AFTER, [after])).rows);

/** Puts a message into a database as it is; one that lies there already becomes what this one is. */
export const putParkedRow = async (pool: PostgresPool, row: RawParkedRow): Promise<void> => {
  await pool.query(
    `INSERT INTO parked (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((_, i) => `$${i + 1}`).join(', ')})
     ON CONFLICT (id) DO UPDATE SET ${COLUMNS.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    COLUMNS.map((name) => row[name as keyof RawParkedRow]),
  );
};

async function* rowsBy(pageAfter: (number: number) => Promise<Numbered[]>): AsyncGenerator<RawParkedRow> {
  for (let after = 0; ;) {
    const page = await pageAfter(after);
    for (const { number, id, bytes, ...row } of page) {
      after = number;
      yield { ...row, id: Buffer.from(id as Uint8Array), bytes: Buffer.from(bytes as Uint8Array) };
    }
    if (page.length < PAGE) return;
  }
}
