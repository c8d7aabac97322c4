import type { Clock } from '#libs/kernel';
import type { Tracing } from '#libs/kernel/tracing/tracing.port.js';
import type { LogReader } from './log-follower.js';

/** A read model that is folded anew passes events whose traces ended long ago. */
const FRESH_MS = 10 * 60_000;

/** A reader of the log with a span, under that of its recording, for every event that carries its trace. */
export const tracedReader = (reader: LogReader, tracing: Tracing, clock: Clock): LogReader => ({
  checkpoint: () => reader.checkpoint(),
  apply: async (events) => {
    const oldest = clock.nowMs() - FRESH_MS;
    const spans = events
      .filter(({ traceparent, recordedAtMs }) => traceparent !== undefined && recordedAtMs >= oldest)
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
