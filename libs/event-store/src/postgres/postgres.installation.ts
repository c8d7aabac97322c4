import type { PostgresPool } from '#libs/kernel/postgres.js';
import type { Installation } from '../installation.js';

/** What is kept beside parked messages and counts, for programs that do without the log. */
export class PostgresInstallation implements Installation {
  constructor(private readonly pool: PostgresPool) {}

  async recall(name: string): Promise<string | undefined> {
    const { rows } = await this.pool.query<{ value: string }>('SELECT value FROM installation WHERE name = $1', [name]);
    return rows[0]?.value;
  }

  async keep(name: string, value: string): Promise<string> {
    await this.pool.query('INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      name,
      value,
    ]);
    return (await this.recall(name))!;
  }
}
