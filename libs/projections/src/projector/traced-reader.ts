import type { Clock } from '#libs/kernel';
import type { Tracing } from '#libs/kernel/tracing/tracing.port.js';
import type { LogReader } from './log-follower.js';

/** A read model that is folded anew passes events whose traces ended long ago. */
const FRESH_MS = 10 * 60_000;

/**
 * A reader of the log with a span, under that of its recording, for every event that carries its trace.
 * @param isRead whether it reads the events of a tenant
 */
export const tracedReader = (
  reader: LogReader,
  tracing: Tracing,
  clock: Clock,
  isRead: (tenant: string) => boolean = () => true,
): LogReader => ({
  checkpoint: () => reader.checkpoint(),
  apply: async (events) => {
    const oldest = clock.nowMs() - FRESH_MS;
    const spans = events
      .filter(
        ({ traceparent, recordedAtMs, tenant }) =>
          traceparent !== undefined && recordedAtMs >= oldest && isRead(tenant),
      )
      .map(({ traceparent, type, position, stream }) =>
        tracing.start('project', {
          kind: 'consumer',
          parent: traceparent,
          attributes: { 'hilo.event': type, 'hilo.position': position, 'hilo.stream': stream },
        }),
      );
    try {
      await reader.apply(events);
      for (const span of spans) span.end();
    } catch (error) {
      for (const span of spans) span.end(error);
      throw error;
    }
  },
});
