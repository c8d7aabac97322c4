import { HubError } from '#libs/kernel';
import { Tracing, type SpanOptions, type TraceSpan } from '#libs/kernel/tracing/tracing.port.js';
import { EmbeddedInteractionBus } from './embedded/embedded.interaction-bus.js';
import { interactionBusContract, messageOf, recordedOf } from './interaction-bus.contract.js';
import type { BusMessage } from './interaction-bus.port.js';
import { TracedInteractionBus } from './traced.interaction-bus.js';

interface Told extends SpanOptions {
  name: string;
  traceparent: string;
  set: Record<string, string | number>;
  ended?: { error: unknown };
}

/** Keeps what it is told; its spans are counted. */
class ToldTracing extends Tracing {
  readonly told: Told[] = [];

  constructor(private readonly flags = '01') {
    super();
  }

  start(name: string, options: SpanOptions = {}): TraceSpan {
    const id = String(this.told.length + 1);
    const traceparent = `00-${'a'.repeat(32)}-${id.padStart(16, '0')}-${this.flags}`;
    const told: Told = { name, ...options, traceparent, set: {} };
    this.told.push(told);
    return {
      traceparent,
      set: (key, value) => (told.set[key] = value),
      end: (error) => (told.ended = { error }),
    };
  }

  within<T>(_span: TraceSpan, work: () => T): T {
    return work();
  }

  current(): undefined {
    return undefined;
  }

  async close(): Promise<void> {}
}

interactionBusContract('TracedInteractionBus', {
  open: (capacity) => new TracedInteractionBus(new EmbeddedInteractionBus({ capacity }), new ToldTracing()),
});

describe('TracedInteractionBus', () => {
  const busOf = (tracing: Tracing) => new TracedInteractionBus(new EmbeddedInteractionBus({ capacity: 100 }), tracing);

  it('records each message under its publish, and hands on where its trace goes on', async () => {
    const tracing = new ToldTracing();
    const bus = busOf(tracing);
    const handled: BusMessage[] = [];
    bus.consume(async (messages) => {
      handled.push(...messages);
      return recordedOf(messages);
    });
    await bus.publish([messageOf('t', 1), messageOf('t', 2)]);
    const [publish, ...records] = tracing.told;
    expect(publish).toMatchObject({ name: 'publish', ended: { error: undefined } });
    expect(records).toMatchObject([
      {
        name: 'record',
        parent: publish!.traceparent,
        attributes: { 'hilo.receipt': 't-1' },
        set: { 'hilo.outcome': 'recorded' },
      },
      {
        name: 'record',
        parent: publish!.traceparent,
        attributes: { 'hilo.receipt': 't-2' },
        ended: { error: undefined },
      },
    ]);
    expect(handled.map(({ traceparent }) => traceparent)).toEqual(records.map(({ traceparent }) => traceparent));
    await bus.close();
  });

  it('keeps nothing of a trace that nobody records', async () => {
    const bus = busOf(new ToldTracing('00'));
    const handled: BusMessage[] = [];
    bus.consume(async (messages) => {
      handled.push(...messages);
      return recordedOf(messages);
    });
    await bus.publish([messageOf('t', 1)]);
    expect(handled).toEqual([messageOf('t', 1)]);
    await bus.close();
  });

  it('ends its spans where recording fails', async () => {
    const tracing = new ToldTracing();
    const bus = busOf(tracing);
    const failure = new HubError('EVENT_STORE.UNAVAILABLE', 'away', { retryable: true });
    bus.consume(() => Promise.reject(failure));
    await expect(bus.publish([messageOf('t', 1)])).rejects.toBe(failure);
    expect(tracing.told.map(({ name, ended }) => [name, ended?.error])).toEqual([
      ['publish', failure],
      ['record', failure],
    ]);
    await bus.close();
  });
});
