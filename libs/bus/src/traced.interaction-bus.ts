import { isSampled, type TraceSpan, type Tracing } from '#libs/kernel/tracing/tracing.port.js';
import {
  InteractionBus,
  type BusConsumer,
  type BusMessage,
  type ConsumeBatch,
  type DeliveryOutcome,
} from './interaction-bus.port.js';

/**
 * A bus whose messages carry their trace: a span for every publish, and under it one for the recording of each message,
 * in whatever program that happens.
 */
export class TracedInteractionBus extends InteractionBus {
  constructor(
    private readonly bus: InteractionBus,
    private readonly tracing: Tracing,
  ) {
    super();
  }

  async publish(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]> {
    if (messages.length === 0) return this.bus.publish(messages);
    const span = this.tracing.start('publish', {
      kind: 'producer',
      parent: this.tracing.current() ?? messages[0]!.traceparent,
      attributes: { 'messaging.batch.message_count': messages.length },
    });
    const { traceparent } = span;
    try {
      const outcomes = await this.bus.publish(messages.map((message) => ({ ...message, traceparent })));
      span.end();
      return outcomes;
    } catch (error) {
      span.end(error);
      throw error;
    }
  }

  consume(handle: ConsumeBatch): BusConsumer {
    return this.bus.consume(async (messages) => {
      const spans = messages.map((message) => this.recording(message));
      try {
        const outcomes = await handle(messages.map((message, i) => continued(message, spans[i]!)));
        outcomes.forEach(({ status, position }, i) => {
          spans[i]?.set('hilo.outcome', status);
          if (position !== undefined) spans[i]?.set('hilo.position', position);
        });
        for (const span of spans) span.end();
        return outcomes;
      } catch (error) {
        for (const span of spans) span.end(error);
        throw error;
      }
    });
  }

  inFlight(): number {
    return this.bus.inFlight();
  }

  backlog(): Promise<number> {
    return this.bus.backlog();
  }

  waitingFor(receipt: string): string | undefined {
    return this.bus.waitingFor(receipt);
  }

  handledSoFar(withinMs: number): Promise<boolean> {
    return this.bus.handledSoFar(withinMs);
  }

  close(): Promise<void> {
    return this.bus.close();
  }

  private recording(message: BusMessage): TraceSpan {
    const { type, receipt, traceparent } = message;
    return this.tracing.start('record', {
      kind: 'consumer',
      parent: traceparent,
      attributes: {
        'hilo.message': type,
        'hilo.receipt': receipt,
        ...(type === 'interaction'
          ? {
              'hilo.tenant': message.interaction.tenant,
              'hilo.channel': message.interaction.channel,
              'hilo.kind': message.interaction.kind,
            }
          : { 'hilo.tenant': message.profile.tenant }),
      },
    });
  }
}

/** The log keeps where a trace went on only where somebody records it. */
const continued = (message: BusMessage, { traceparent }: TraceSpan): BusMessage => {
  if (isSampled(traceparent)) return { ...message, traceparent };
  const { traceparent: _unrecorded, ...rest } = message;
  return rest;
};
