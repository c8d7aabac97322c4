import { HubError } from '#libs/kernel';
import type { PostgresPool } from '#libs/kernel/postgres.js';

const NAME = 'copy';
type Stage = 'under way' | 'ended' | 'in use';
const valueOf = (stage: Stage, copy: string): string => `${stage}: ${copy}`;

/**
 * How far a database has come in becoming the copy of a data directory, kept in itself: programs work on a copy that is
 * whole, and nobody copies over what they work on.
 */
export class PostgresCopyState {
  /** @param pool of `openOperations` */
  constructor(private readonly pool: PostgresPool) {}

  /** Whether a copy was ever begun here. */
  async isBegun(): Promise<boolean> {
    return (await this.stored()) !== undefined;
  }

  /**
   * Begins a copy, or goes on with it: from here on programs are refused.
   * @param copy names where it comes from, and the log that it goes with
   * @throws HubError `COPY.OTHER_INSTALLATION` where another copy was begun, `COPY.IN_USE` where programs have it
   */
  async begin(copy: string): Promise<void> {
    await this.pool.query('INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      NAME,
      valueOf('under way', copy),
    ]);
    const stored = (await this.stored())!;
    if (stored.copy !== copy)
      throw new HubError(
        'COPY.OTHER_INSTALLATION',
        'HILO_READ_MODEL_URL: holds the copy of another data directory, or one that goes with another log; name a database ' +
          '(or ?schema=…) that nothing was begun in',
      );
    if (!(await this.move(['under way', 'ended'], 'under way', copy)))
      throw new HubError(
        'COPY.IN_USE',
        'HILO_READ_MODEL_URL: programs have started on this copy: it goes on there, and nothing is copied over it',
      );
  }

  /** The copy is whole: programs may start on it. */
  async end(): Promise<void> {
    await this.move(['under way'], 'ended', (await this.stored())!.copy);
  }

  /**
   * Whoever works on a database asks first; where it is a copy, it is theirs from then on.
   * @throws HubError `COPY.UNFINISHED`
   */
  async use(): Promise<void> {
    const stored = await this.stored();
    if (!stored || stored.stage === 'in use') return;
    if (await this.move(['ended', 'in use'], 'in use', stored.copy)) return;
    throw new HubError(
      'COPY.UNFINISHED',
      'HILO_READ_MODEL_URL: the copy of a data directory has begun here and not ended; run hilo migrate again, to its end',
    );
  }

  private async move(from: readonly Stage[], to: Stage, copy: string): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      'UPDATE installation SET value = $2 WHERE name = $1 AND value = ANY($3::text[])',
      [NAME, valueOf(to, copy), from.map((stage) => valueOf(stage, copy))],
    );
    return rowCount > 0;
  }

  private async stored(): Promise<{ stage: Stage; copy: string } | undefined> {
    const { rows } = await this.pool.query<{ value: string }>('SELECT value FROM installation WHERE name = $1', [NAME]);
    const [stage, copy] = rows[0]?.value.split(': ') ?? [];
    return copy === undefined ? undefined : { stage: stage as Stage, copy };
  }
}
