import { LruMap, type Clock } from '#libs/kernel';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Quotas per key, in this process alone: two programs of one installation count apart. */
export class TokenBuckets {
  private readonly buckets = new LruMap<string, Bucket>(10_000);

  /** @param perSecond tokens a second, and the largest burst. */
  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
  ) {}

  /** Takes one token: 0 when there was one, else the whole seconds until there is. */
  take(key: string): number {
    const nowMs = this.clock.nowMs();
    const bucket = this.buckets.get(key);
    if (!bucket) {
      this.buckets.set(key, { tokens: this.perSecond - 1, atMs: nowMs });
      return 0;
    }
    // A clock set back must not lock a key out.
    const passedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.perSecond, bucket.tokens + (passedMs * this.perSecond) / 1000);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.perSecond));
    bucket.tokens -= 1;
    return 0;
  }
}
