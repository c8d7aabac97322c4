import { Injectable } from '@nestjs/common';
import { Gauge, collectDefaultMetrics, register } from 'prom-client';
import { EventStore } from '#libs/event-store';
import { ProjectionProgress } from '#libs/projections';

/** What an operator watches, in Prometheus text. */
@Injectable()
export class Metrics {
  constructor(store: EventStore, progress: ProjectionProgress) {
    if (!register.getSingleMetric('process_cpu_user_seconds_total')) collectDefaultMetrics();
    this.watch('hilo_log_head_position', 'Position of the newest event', () => store.head());
    this.watch('hilo_read_model_position', 'Position the timelines show', () => progress.position());
  }

  /** Adds a gauge that is read whenever somebody asks; a later one of the same name takes its place. */
  watch(name: string, help: string, read: () => number | Promise<number>): void {
    register.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      async collect() {
        this.set(await read());
      },
    });
  }

  text(): Promise<string> {
    return register.metrics();
  }
}
