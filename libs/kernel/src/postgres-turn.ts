import { connectPostgres, type PostgresOptions } from './postgres.js';

/**
 * Runs `work` while no other program does anything under the same name on that server. Where the connection that holds the
 * turn breaks, another one may begin: `work` must bear that.
 * @throws HubError `…UNAVAILABLE`, retryable; what `work` throws
 */
export const inPostgresTurn = async <T>(options: PostgresOptions, name: string, work: () => Promise<T>): Promise<T> => {
  const session = await connectPostgres({ ...options, statementTimeoutMs: 0 });
  try {
    await session.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`${options.schema} ${name}`]);
    return await work();
  } finally {
    session.release();
  }
};
