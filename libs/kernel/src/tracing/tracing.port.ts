import { codeOf } from '../errors.js';

/** Where a trace goes on, as W3C Trace Context writes it: `00-{trace}-{span}-{flags}`. Random ids and a flag. */
export type Traceparent = string;

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The value, where it is a traceparent; of what others send, anything else counts as none. */
export const readTraceparent = (value: unknown): Traceparent | undefined =>
  typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;

/** Whether somebody records this trace. */
export const isSampled = (traceparent: Traceparent): boolean => Number.parseInt(traceparent.slice(-2), 16) % 2 === 1;

export interface SpanOptions {
  /** @default 'internal' */
  kind?: 'server' | 'producer' | 'consumer' | 'internal';
  /** What it follows from. Absent: it begins a trace. */
  parent?: Traceparent | undefined;
  /** Ids, names of channels and kinds, outcomes, counts; never what a customer said or is called. */
  attributes?: Readonly<Record<string, string | number>>;
}

export interface TraceSpan {
  /** What follows from it names this. */
  readonly traceparent: Traceparent;
  set(name: string, value: string | number): void;
  /** @param error of a failure only the code is told: its message may quote what a customer said */
  end(error?: unknown): void;
}

/** Spans of what this program does, on their way to a collector. A program without one has no `Tracing` at all. */
export abstract class Tracing {
  abstract start(name: string, options?: SpanOptions): TraceSpan;

  /** Runs `work`; in it, and in all that it calls and awaits, `current()` is this span. */
  abstract within<T>(span: TraceSpan, work: () => T): T;

  /** What the running work belongs to. */
  abstract current(): Traceparent | undefined;

  /** Sends what has ended; resolves within a few seconds, whatever the collector does. */
  abstract close(): Promise<void>;
}

/** Runs `work` in a span of its own; without `tracing` it just runs. */
export const inSpan = async <T>(
  tracing: Tracing | undefined,
  name: string,
  options: SpanOptions,
  work: () => Promise<T>,
): Promise<T> => {
  if (!tracing) return work();
  const span = tracing.start(name, options);
  try {
    const result = await tracing.within(span, work);
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
};

/** What a span says of a failure. */
export const errorTypeOf = (error: unknown): string => codeOf(error) ?? 'unknown';
