import { Injectable } from '@nestjs/common';
import { Gauge, collectDefaultMetrics, register } from 'prom-client';

export interface LabelledFigure<L extends string> {
  /** Values come from bounded sets, and never say anything of a person. */
  labels: Record<L, string>;
  value: number;
}

/** What an operator watches, in Prometheus text. */
@Injectable()
export class Metrics {
  constructor() {
    if (!register.getSingleMetric('process_cpu_user_seconds_total')) collectDefaultMetrics();
  }

  /**
   * Adds a gauge that is read whenever somebody asks; a later one of the same name takes its place. What cannot be read
   * is `NaN`, so that it does not keep the other figures back.
   */
  watch(name: string, help: string, read: () => number | Promise<number>): void {
    this.watchEach(name, help, [], async () => [
      {
        labels: {},
        value: await Promise.resolve()
          .then(read)
          .catch(() => Number.NaN),
      },
    ]);
  }

  /** The same for a figure of each of several things, told apart by labels; what cannot be read is left out. */
  watchEach<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: () => readonly LabelledFigure<L>[] | Promise<readonly LabelledFigure<L>[]>,
  ): void {
    register.removeSingleMetric(name);
    new Gauge<L>({
      name,
      help,
      labelNames,
      async collect() {
        const figures = await Promise.resolve()
          .then(read)
          .catch(() => []);
        this.reset();
        for (const { labels, value } of figures) this.set(labels, value);
      },
    });
  }

  text(): Promise<string> {
    return register.metrics();
  }
}
