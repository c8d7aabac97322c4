import { AsyncLocalStorage } from 'node:async_hooks';
import {
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  diag,
  trace,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { Tracing, errorTypeOf, type SpanOptions, type TraceSpan, type Traceparent } from './tracing.port.js';

const KINDS = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** A collector that does not answer must not keep a program from ending. */
const CLOSE_MS = 1500;

class OpenTelemetrySpan implements TraceSpan {
  readonly traceparent: Traceparent;

  constructor(private readonly span: Span) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  set(name: string, value: string | number): void {
    this.span.setAttribute(name, value);
  }

  end(error?: unknown): void {
    if (error !== undefined) {
      this.span.setAttribute('error.type', errorTypeOf(error));
      this.span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}

/** Traces by the OpenTelemetry SDK. Sampler, batches, endpoint, headers and names come from the `OTEL_…` variables. */
export class OpenTelemetryTracing extends Tracing {
  private readonly spans = new AsyncLocalStorage<Traceparent>();
  private readonly tracer: Tracer;

  constructor(private readonly provider: BasicTracerProvider) {
    super();
    this.tracer = provider.getTracer('hilo');
  }

  static open(service: string, warn: (problem: string) => void): OpenTelemetryTracing {
    const tell = (message: string): void => warn(`traces: ${message}`);
    const quiet = (): void => undefined;
    diag.setLogger(
      { error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    return OpenTelemetryTracing.to(new OTLPTraceExporter(), service);
  }

  /** @param service the name, where `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` give none */
  static to(exporter: SpanExporter, service: string): OpenTelemetryTracing {
    const resource = defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service }))
      .merge(detectResources({ detectors: [envDetector] }));
    return new OpenTelemetryTracing(
      new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] }),
    );
  }

  start(name: string, { kind = 'internal', parent, attributes }: SpanOptions = {}): TraceSpan {
    const from = parent === undefined ? null : parseTraceParent(parent);
    const context = from ? trace.setSpanContext(ROOT_CONTEXT, { ...from, isRemote: true }) : ROOT_CONTEXT;
    const span = this.tracer.startSpan(name, { kind: KINDS[kind], ...(attributes && { attributes }) }, context);
    return new OpenTelemetrySpan(span);
  }

  within<T>(span: TraceSpan, work: () => T): T {
    return this.spans.run(span.traceparent, work);
  }

  current(): Traceparent | undefined {
    return this.spans.getStore();
  }

  async close(): Promise<void> {
    const closed = this.provider.shutdown().catch(() => undefined);
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([closed, late]);
  }
}
