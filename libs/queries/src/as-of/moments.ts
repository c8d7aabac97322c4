import { Injectable } from '@nestjs/common';
import { EventStore } from '#libs/event-store';
import { Clock } from '#libs/kernel';
import type { AsOf } from '../shared/cursor.js';

/** What time it was: for what ends by itself. */
@Injectable()
export class Moments {
  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Epoch milliseconds at which a question is answered: now; the instant that was asked for, no later than now; or when
   * the position that was asked for was recorded, which is later than now where the clock was set back.
   */
  async of(asOf: AsOf | undefined): Promise<number> {
    const nowMs = this.clock.nowMs();
    if (!asOf) return nowMs;
    if (asOf.instant !== undefined) return Math.min(asOf.instant, nowMs);
    if (asOf.position > 0)
      for await (const [event] of this.store.readAll({ after: asOf.position - 1, batchSize: 1 }))
        return event!.recordedAtMs;
    return 0;
  }
}
