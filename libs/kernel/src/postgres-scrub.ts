import { setTimeout as sleep } from 'node:timers/promises';
import { connectPostgres, type PostgresOptions, type PostgresSession } from './postgres.js';

/** Rows that somebody may still be reading cannot go: so often it is tried, with so much time between. */
const TRIES = 40;
const BETWEEN_MS = 100;
/** How long a table may be waited for; meanwhile whoever comes later waits too. */
const LOCK_TIMEOUT_MS = 5000;

/**
 * Rewrites tables of a migrated schema, so that nothing of what was deleted or replaced in them before this call is left
 * in their files. VACUUM alone frees such rows for new ones and leaves their bytes. A table is locked while it is
 * rewritten; its write-ahead log, replicas and backups are not touched.
 * @returns whether it is done; false where somebody still reads a state from before the deletion: then call it again
 * @throws HubError `….UNAVAILABLE`, retryable, where a table was in use for too long
 */
export const scrubTables = async (options: PostgresOptions, tables: readonly string[]): Promise<boolean> => {
  const session = await connectPostgres({ ...options, statementTimeoutMs: 0 });
  try {
    await session.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    const { rows } = await session.query<{ now: string }>('SELECT pg_current_xact_id()::xid::text AS now');
    for (let tries = 1; !(await isPast(session, options.schema, rows[0]!.now)); tries++) {
      if (tries === TRIES) return false;
      await sleep(BETWEEN_MS);
    }
    await session.query(`VACUUM (FULL) ${tables.join(', ')}`);
    return true;
  } finally {
    session.release();
  }
};

/** Whether nobody sees a state from before a transaction any more: a small table tells how far its rows can be frozen. */
const isPast = async (session: PostgresSession, schema: string, transaction: string): Promise<boolean> => {
  await session.query('VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) migration');
  const { rows } = await session.query<{ past: boolean }>(
    'SELECT age(relfrozenxid) <= age($1::xid) AS past FROM pg_class WHERE oid = to_regclass($2)',
    [transaction, `${schema}.migration`],
  );
  return rows[0]?.past === true;
};
