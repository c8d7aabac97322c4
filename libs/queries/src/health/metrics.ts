import { Injectable } from '@nestjs/common';
import { Gauge, collectDefaultMetrics, register } from 'prom-client';
import { InteractionBus } from '#libs/bus';
import { EventStore } from '#libs/event-store';
import { ProjectionProgress } from '#libs/projections';

/** What an operator watches, in Prometheus text. */
@Injectable()
export class Metrics {
  constructor(bus: InteractionBus, store: EventStore, progress: ProjectionProgress) {
    register.clear();
    collectDefaultMetrics();
    gauge('hilo_bus_in_flight', 'Contacts accepted and not yet recorded', () => bus.inFlight());
    gauge('hilo_log_head_position', 'Position of the newest event', () => store.head());
    gauge('hilo_read_model_position', 'Position the timelines show', () => progress.position());
  }

  text(): Promise<string> {
    return register.metrics();
  }
}

const gauge = (name: string, help: string, read: () => number | Promise<number>): Gauge =>
  new Gauge({
    name,
    help,
    async collect() {
      this.set(await read());
    },
  });
