import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { openPostgres, type PostgresPool } from '#libs/kernel/postgres.js';
import { readModelSchema } from '../read-model/postgres/postgres.read-model.js';
import { LEASE_MS, type LeaseShare } from './postgres.projector-lease.js';

export interface ProjectorShareOptions {
  /** Of the read model. */
  url: string;
  /** Shards that there are to lead. */
  shards: number;
  /** As of the leases. @default 9000 */
  leaseMs?: number;
}

/** What names of programs that would lead begin with, beside the names of leases. */
const CANDIDATE = 'candidate/';

/**
 * How many shards each projector leads: as many as the others, or one more. Each tells the others by a row that it is
 * there; one that says nothing for the time of a lease is gone. Who leads more than its share gives the newest up.
 */
export class PostgresProjectorShare implements LeaseShare {
  private readonly owner = randomUUID();
  private readonly pool: PostgresPool;
  private readonly leaseMs: number;
  private readonly held = new Set<AbortController>();
  private readonly stopped = new AbortController();
  private readonly running: Promise<void>;
  /** Nothing before it knows of the others. */
  private most = 0;

  constructor(private readonly options: ProjectorShareOptions) {
    const { url, leaseMs = LEASE_MS } = options;
    this.leaseMs = leaseMs;
    const statementTimeoutMs = Math.round(leaseMs / 3);
    this.pool = openPostgres({
      url,
      schema: readModelSchema(url),
      room: 'READ_MODEL',
      connections: 1,
      statementTimeoutMs,
    });
    this.running = this.run();
  }

  room(): ReturnType<LeaseShare['room']> {
    if (this.held.size >= this.most) return undefined;
    const surplus = new AbortController();
    this.held.add(surplus);
    return { surplus: surplus.signal, release: () => void this.held.delete(surplus) };
  }

  /** Tells the others that it is gone. */
  async close(): Promise<void> {
    this.stopped.abort();
    await this.running;
    await this.pool.query('DELETE FROM lease WHERE owner = $1', [this.owner]).catch(() => undefined);
    await this.pool.end();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      // While nobody answers it stays as it was.
      const candidates = await this.count().catch(() => undefined);
      if (candidates !== undefined) this.most = Math.ceil(this.options.shards / Math.max(1, candidates));
      const surplus = this.held.size - this.most;
      if (surplus > 0) for (const one of [...this.held].slice(-surplus)) one.abort();
      await wait(this.leaseMs / 3, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Says that it is there. @returns how many are */
  private async count(): Promise<number> {
    await this.pool.query(
      `WITH gone AS (DELETE FROM lease WHERE starts_with(name, $1) AND owner <> $3 AND until < clock_timestamp())
       INSERT INTO lease (name, owner, until) VALUES ($2, $3, clock_timestamp() + $4 * interval '1 millisecond')
       ON CONFLICT (name) DO UPDATE SET until = excluded.until`,
      [CANDIDATE, CANDIDATE + this.owner, this.owner, this.leaseMs],
    );
    const { rows } = await this.pool.query<{ count: number }>(
      'SELECT count(*) AS count FROM lease WHERE starts_with(name, $1) AND until > clock_timestamp()',
      [CANDIDATE],
    );
    return Number(rows[0]!.count);
  }
}
