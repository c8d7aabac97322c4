import { Injectable } from '@nestjs/common';
import { Gauge, collectDefaultMetrics, register } from 'prom-client';

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
    register.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      async collect() {
        this.set(
          await Promise.resolve()
            .then(read)
            .catch(() => Number.NaN),
        );
      },
    });
  }

  text(): Promise<string> {
    return register.metrics();
  }
}
