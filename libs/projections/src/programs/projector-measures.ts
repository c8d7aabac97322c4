import type { StoredEvent } from '#libs/event-store';
import { counter, durations } from '#libs/kernel/measures.js';
import type { LogReader } from '../projector/log-follower.js';

/** What an operator sees of a projector. */
export class ProjectorMeasures {
  private readonly events = counter('hilo_projector_events_total', 'Events folded by this program');
  private readonly seconds = durations('hilo_projector_batch_seconds', 'Time to fold one batch');
  private readonly retries = counter('hilo_projector_retries_total', 'Batches that failed and are folded again');
  /** Epoch milliseconds at which the newest folded event was recorded; 0 before the first. */
  private recordedAtMs = 0;

  retried(): void {
    this.retries.inc();
  }

  /** @param isRead whether the events of a tenant are folded here */
  constructor(private readonly isRead: (tenant: string) => boolean = () => true) {}

  /** The same reader, counted. */
  over(reader: LogReader): LogReader {
    return {
      checkpoint: () => reader.checkpoint(),
      apply: async (events) => {
        const since = performance.now();
        await reader.apply(events);
        this.folded(events, (performance.now() - since) / 1000);
      },
    };
  }

  /** Seconds since the newest folded event was recorded, where the log has gone on; 0 where all is folded. */
  lagSeconds(folded: number, head: number, nowMs: number): number {
    return folded >= head || this.recordedAtMs === 0 ? 0 : Math.max(0, (nowMs - this.recordedAtMs) / 1000);
  }

  private folded(events: readonly StoredEvent[], seconds: number): void {
    this.events.inc(events.filter(({ tenant }) => this.isRead(tenant)).length);
    this.seconds.observe(seconds);
    this.recordedAtMs = events.at(-1)?.recordedAtMs ?? this.recordedAtMs;
  }
}
