import { Module, type DynamicModule } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { Metrics } from './metrics.js';
import { Readiness, type HealthCheck } from './readiness.js';

export interface HealthOptions {
  /** What the program cannot do without. */
  checks: readonly HealthCheck[];
  /** Adds the figures that this program has to show. */
  watch?: (metrics: Metrics) => void;
}

/** `/livez`, `/readyz` and `/metrics` of a program. */
@Module({})
export class HealthModule {
  static register({ checks, watch }: HealthOptions): DynamicModule {
    const metrics = new Metrics();
    watch?.(metrics);
    return {
      module: HealthModule,
      controllers: [HealthController],
      providers: [
        { provide: Metrics, useValue: metrics },
        { provide: Readiness, useValue: new Readiness(checks) },
      ],
    };
  }
}
