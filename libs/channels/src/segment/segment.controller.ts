import { Controller, Get, Inject, Options, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '#libs/kernel/api-docs.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '#libs/access';
import { HubSettings } from '#libs/kernel/settings.js';
import { AccountDirectory } from '../accounts/account-directory.port.js';
import type { ChannelAccount } from '../channel-adapter.port.js';
import { DeliveryIntake, problem } from '../intake/delivery-intake.js';
import { settingsOf } from '../shared/settings-of.js';
import { incomingOf, send } from '../webhook.controller.js';
import { corsOf } from './segment.adapter.js';
import { SEGMENT_LIMITS, SegmentSettings } from './segment.config.js';
import { SEGMENT_PATHS } from './segment.parse.js';
import { accountOfKey, writeKeyOf } from './segment.verify.js';

const paths = Object.keys(SEGMENT_PATHS);

/** Segment's tracking API under its own paths: the write key, not the path, names the account. */
@Public()
@ApiExcludeController()
@Controller('v1')
export class SegmentController {
  constructor(
    private readonly intake: DeliveryIntake,
    @Inject(AccountDirectory) private readonly directory: AccountDirectory,
    private readonly settings: HubSettings,
  ) {}

  @Post(paths)
  async call(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const incoming = incomingOf(request, this.settings);
    // The key may stand in the body, which is read only where it is no larger than any source may send.
    if (incoming.body.length > SEGMENT_LIMITS.batchBytes) {
      const limit = `the body has ${incoming.body.length} bytes, the limit is ${SEGMENT_LIMITS.batchBytes}`;
      return send(reply, problem(400, 'CHANNEL.TOO_LARGE', limit));
    }
    const account = accountOfKey(writeKeyOf(incoming.headers, incoming.body), this.sources());
    return send(reply, await this.intake.receive('tracking', account, incoming));
  }

  /** A preflight carries no write key: the origins of all sources are answered for. */
  @Options(paths)
  async preflight(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const origins = this.sources().flatMap((account) => settingsOf(SegmentSettings, account).allowedOrigins);
    const { origin } = incomingOf(request, this.settings).headers;
    const headers = {
      ...corsOf(origins, origin),
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': 'Content-Type, Authorization',
      'access-control-max-age': '600',
    };
    await send(reply, { status: 204, headers });
  }

  /** What the browser SDK asks before it sends anything. */
  @Get('projects/:writeKey/settings')
  async projectSettings(
    @Param('writeKey') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const account = accountOfKey(key, this.sources());
    if (!account) return send(reply, problem(404, 'CHANNEL.UNKNOWN_SOURCE', 'no source has this write key'));
    const { origin } = incomingOf(request, this.settings).headers;
    const headers = {
      'content-type': 'application/json',
      ...corsOf(settingsOf(SegmentSettings, account).allowedOrigins, origin),
    };
    return send(reply, {
      status: 200,
      headers,
      body: JSON.stringify({ integrations: { 'Segment.io': { apiKey: key } } }),
    });
  }

  private sources(): ChannelAccount[] {
    return this.directory.all().filter((account) => account.adapter === 'segment');
  }
}
