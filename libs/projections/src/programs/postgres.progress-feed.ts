import { setTimeout as wait } from 'node:timers/promises';
import { connectPostgres, openPostgres, type PostgresPool, type PostgresSession } from '#libs/kernel/postgres.js';
import type { ProjectionAdvance, ProjectionProgress } from '../progress.port.js';
import { readModelSchema } from '../read-model/postgres/postgres.read-model.js';
import { isPlaceOf, nameOf, shardNamed, WHOLE, type Shard } from '../shards.js';

/** Positions a message; PostgreSQL takes 8000 bytes. */
const CORRECTED_A_MESSAGE = 400;
/** A connection that has died without a word is noticed within this. */
const LOOK_EVERY_MS = 5000;
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5000;

/** What is told by `NOTIFY`. */
interface Told extends ProjectionAdvance {
  /** Absent where the tenants are not divided. */
  shard?: Shard;
}

const optionsOf = (url: string) => ({
  url,
  schema: readModelSchema(url),
  room: 'READ_MODEL',
  statementTimeoutMs: 5000,
});
const channelOf = (url: string): string => `${readModelSchema(url)}_progress`;

/** Tells the other programs how far the shards of the read model have got. */
export class PostgresProgressAnnouncer {
  private readonly pool: PostgresPool;

  constructor(private readonly url: string) {
    this.pool = openPostgres({ ...optionsOf(url), connections: 1 });
  }

  /** @throws HubError `READ_MODEL.UNAVAILABLE`, retryable */
  async announce({ position, corrected }: ProjectionAdvance, shard: Shard = WHOLE): Promise<void> {
    const told = (part: readonly number[]): Told => ({ position, corrected: part, ...(shard.of > 1 && { shard }) });
    for (let first = 0; first === 0 || first < corrected.length; first += CORRECTED_A_MESSAGE)
      await this.pool.query(
        `WITH told AS (
           INSERT INTO progress (name, position) VALUES ($1, $2)
           ON CONFLICT (name) DO UPDATE SET position = greatest(progress.position, excluded.position) RETURNING 1)
         SELECT pg_notify($3, $4) FROM told`,
        [
          nameOf(shard),
          position,
          channelOf(this.url),
          JSON.stringify(told(corrected.slice(first, first + CORRECTED_A_MESSAGE))),
        ],
      );
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

/**
 * Hears on a connection of its own what the projector's program announces, and passes it on. A connection that breaks is
 * opened again; positions told meanwhile are read then, corrections told meanwhile are not: who watches a timeline reads it
 * anew when it comes back.
 */
export class PostgresProgressFeed {
  private readonly stopped = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly progress: Pick<ProjectionProgress, 'advance'>,
  ) {
    this.running = this.run();
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      const heard = await this.listen().catch(() => false);
      if (heard) waitMs = FIRST_WAIT_MS;
      await wait(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Listens until the connection breaks. @returns whether there was one */
  private async listen(): Promise<boolean> {
    const session = await connectPostgres(optionsOf(this.url));
    const ended = new AbortController();
    session.onEnd(() => ended.abort());
    session.onNotification((_channel, payload) => {
      const { shard, ...news } = JSON.parse(payload) as Told;
      this.progress.advance(news, shard);
    });
    const over = AbortSignal.any([ended.signal, this.stopped.signal]);
    try {
      await session.query(`LISTEN ${channelOf(this.url)}`);
      while (!over.aborted) {
        await this.look(session);
        await wait(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
      }
    } catch {
      // Asked for in vain: it has broken.
    } finally {
      session.release();
    }
    return true;
  }

  private async look(session: PostgresSession): Promise<void> {
    const { rows } = await session.query<{ name: string; position: number }>('SELECT name, position FROM progress');
    const places = await session.query<{ name: string }>('SELECT name FROM checkpoint');
    for (const { name, position } of rows) {
      const shard = shardNamed(name);
      // What a projector of another division may have told since is nobody's.
      const known = shard && (places.rows.length === 0 || places.rows.some((place) => isPlaceOf(place.name, shard)));
      if (known) this.progress.advance({ position, corrected: [] }, shard);
    }
  }
}
