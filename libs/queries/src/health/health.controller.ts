import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '#libs/kernel/api-docs.js';
import type { FastifyReply } from 'fastify';
import { Public } from '#libs/access';
import { EventStore } from '#libs/event-store';
import { ProjectionProgress } from '#libs/projections';
import { Metrics } from './metrics.js';

/** Events the read model may be behind and the program still counts as ready. */
const READY_LAG = 100_000;

/** What a supervisor of processes asks. */
@ApiExcludeController()
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly store: EventStore,
    private readonly progress: ProjectionProgress,
    private readonly metrics: Metrics,
  ) {}

  /** The program runs. */
  @Get('livez')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** The event store answers and the timelines are close behind it; 503 otherwise. */
  @Get('readyz')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const head = await this.store.head().catch(() => undefined);
    const behind = head === undefined ? undefined : Math.max(0, head - this.progress.position());
    const ready = behind !== undefined && behind <= READY_LAG;
    await reply
      .status(ready ? 200 : 503)
      .send({ status: ready ? 'ok' : 'unavailable', eventStore: head === undefined ? 'unavailable' : 'ok', behind });
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text(): Promise<string> {
    return this.metrics.text();
  }
}
