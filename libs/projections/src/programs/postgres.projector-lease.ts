import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { openPostgres, type PostgresPool } from '#libs/kernel/postgres.js';
import { readModelSchema } from '../read-model/postgres/postgres.read-model.js';
import { nameOf, WHOLE, type Shard } from '../shards.js';

/** A lease that is not renewed for so long is anybody's. */
export const LEASE_MS = 9000;

export interface ProjectorLeaseOptions {
  /** Of the read model. */
  url: string;
  /** Milliseconds for which it is held without being renewed, 300 or more; it is renewed three times in them. @default 9000 */
  leaseMs?: number;
  /** @default all tenants */
  shard?: Shard;
  /** How many shards this program may lead. @default as many as it gets */
  share?: LeaseShare;
}

/** Says how many leases a program may hold. */
export interface LeaseShare {
  /** Room for one more, until it is released; undefined where there is none. `surplus`: it is to be given up. */
  room(): { surplus: AbortSignal; release(): void } | undefined;
}

const UNBOUNDED: LeaseShare = { room: () => ({ surplus: new AbortController().signal, release: () => undefined }) };

/**
 * The right to be the one active projector of a shard of a read model; the others stand by. It saves work, and the checkpoint keeps
 * the rows right: a projector that has lost its lease and does not know it yet finds the checkpoint moved, and stops.
 */
export class PostgresProjectorLease {
  private readonly owner = randomUUID();
  private readonly pool: PostgresPool;
  private readonly leaseMs: number;
  private readonly name: string;
  private readonly share: LeaseShare;

  constructor({ url, leaseMs = LEASE_MS, shard = WHOLE, share = UNBOUNDED }: ProjectorLeaseOptions) {
    this.leaseMs = leaseMs;
    this.name = nameOf(shard);
    this.share = share;
    this.pool = openPostgres({
      url,
      schema: readModelSchema(url),
      room: 'READ_MODEL',
      connections: 1,
      statementTimeoutMs: Math.round(leaseMs / 3),
    });
  }

  /**
   * Runs `work` whenever the lease is held, again and again until `stop`. The signal that `work` gets says that the lease
   * was lost or is to be given up: it must come to its end. A failure of `work` gives the lease up and is thrown.
   */
  async lead(work: (lost: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const room = this.share.room();
      try {
        if (room && (await this.take().catch(() => false))) {
          await this.hold(work, AbortSignal.any([stop, room.surplus]));
          continue;
        }
      } finally {
        room?.release();
      }
      await this.pause(stop);
    }
  }

  /** Ends its connection; a lease that is held stays so until its time is over. */
  close(): Promise<void> {
    return this.pool.end();
  }

  private async hold(work: (lost: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
    const lost = new AbortController();
    const worked = new AbortController();
    const renewing = this.renew(worked.signal).then(() => lost.abort());
    try {
      await work(AbortSignal.any([stop, lost.signal]));
    } finally {
      worked.abort();
      await renewing;
      await this.giveUp().catch(() => undefined);
    }
  }

  /** Resolves when the lease is lost, or `worked`. */
  private async renew(worked: AbortSignal): Promise<void> {
    let heldUntilMs = performance.now() + this.leaseMs;
    while (!worked.aborted) {
      await this.pause(worked);
      const askedMs = performance.now();
      // While nobody answers, it is ours until its time is over.
      const held = worked.aborted || (await Promise.race([this.take(), this.silence()]).catch(() => undefined));
      if (held === true) heldUntilMs = askedMs + this.leaseMs;
      else if (held === false || performance.now() + this.leaseMs / 3 > heldUntilMs) return;
    }
  }

  private async take(): Promise<boolean> {
    const { rows } = await this.pool.query(
      `INSERT INTO lease (name, owner, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
       ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
         WHERE lease.until < clock_timestamp() OR lease.owner = excluded.owner
       RETURNING owner`,
      [this.name, this.owner, this.leaseMs],
    );
    return rows.length > 0;
  }

  /** The server may be cut off: then nothing is answered, and nothing fails. */
  private silence(): Promise<undefined> {
    return wait(this.leaseMs / 3, undefined, { ref: false });
  }

  private async giveUp(): Promise<void> {
    await this.pool.query('DELETE FROM lease WHERE name = $1 AND owner = $2', [this.name, this.owner]);
  }

  private async pause(signal: AbortSignal): Promise<void> {
    await wait(this.leaseMs / 3, undefined, { signal }).catch(() => undefined);
  }
}
