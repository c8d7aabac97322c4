import { setTimeout as sleep } from 'node:timers/promises';
import { connectPostgres, type PostgresOptions } from './postgres.js';

const ASK_EVERY_MS = 100;

/**
 * Runs `work` while no other program does anything under the same name on that server. Where the connection that holds the
 * turn breaks, another one may begin: `work` must bear that.
 * @throws HubError `…UNAVAILABLE`, retryable; what `work` throws
 */
export const inPostgresTurn = async <T>(options: PostgresOptions, name: string, work: () => Promise<T>): Promise<T> => {
  const session = await connectPostgres(options);
  try {
    // Asked again and again: a statement that waits would keep what is being deleted in sight, and so in the files.
    for (;;) {
      const { rows } = await session.query<{ mine: boolean }>(
        'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS mine',
        [`${options.schema} ${name}`],
      );
      if (rows[0]!.mine) return await work();
      await sleep(ASK_EVERY_MS);
    }
  } finally {
    session.release();
  }
};
