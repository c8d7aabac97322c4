import { Counter, Histogram, register } from 'prom-client';

/**
 * A counter on the program's Prometheus registry; of the same name there is one. Labels come from bounded sets only, and
 * never say anything of a person.
 */
export const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
  (register.getSingleMetric(name) as Counter<L> | undefined) ?? new Counter({ name, help, labelNames });

/** Seconds, from half a millisecond to the longest that a caller waits. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** How long something takes, in seconds; otherwise as `counter`. */
export const durations = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Histogram<L> =>
  (register.getSingleMetric(name) as Histogram<L> | undefined) ??
  new Histogram({ name, help, labelNames, buckets: SECONDS });
