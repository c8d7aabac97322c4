import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '#libs/kernel/api-docs.js';
import type { FastifyReply } from 'fastify';
import { Public } from '#libs/access';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';

/** What a supervisor of processes asks. */
@ApiExcludeController()
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  /** The program runs. */
  @Get('livez')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** Everything that the program needs answers; 503 otherwise, and what is missing. */
  @Get('readyz')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { ready, body } = await this.readiness.look();
    await reply.status(ready ? 200 : 503).send(body);
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text(): Promise<string> {
    return this.metrics.text();
  }
}
