import { All, Controller, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '#libs/kernel/api-docs.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '#libs/access';
import { HubSettings } from '#libs/kernel/settings.js';
import { AccountDirectory } from './accounts/account-directory.port.js';
import type { DeliveryAnswer } from './channel-adapter.port.js';
import { DeliveryIntake, problem, type IncomingRequest } from './intake/delivery-intake.js';

/** Bytes that any door takes before an account is looked up; adapters have limits of their own below it. */
const maxDeliveryBytes = 5 * 1024 * 1024;

/**
 * Webhooks of providers and posts of contact forms. Public: each delivery proves its own sender to its adapter.
 *
 * Signatures are over bytes, so the program registers one content-type parser for every type that leaves
 * `request.body` a Buffer; anything else counts as an empty body here and fails its signature.
 */
@Public()
@ApiExcludeController()
@Controller('v1')
export class WebhookController {
  constructor(
    private readonly intake: DeliveryIntake,
    @Inject(AccountDirectory) private readonly directory: AccountDirectory,
    private readonly settings: HubSettings,
  ) {}

  /** A provider's delivery, or its question whether the address is ours. */
  @All('webhooks/:account')
  async webhook(
    @Param('account') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await send(reply, await this.receive('webhook', id, request));
  }

  /** A contact form's submission. */
  @All('forms/:account')
  async form(@Param('account') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await send(reply, await this.receive('form', id, request));
  }

  private async receive(door: 'webhook' | 'form', id: string, request: FastifyRequest): Promise<DeliveryAnswer> {
    const incoming = incomingOf(request, this.settings);
    return tooLarge(incoming) ?? this.intake.receive(door, this.directory.byId(id), incoming);
  }
}

/** A request as adapters see it; the public URL comes from configuration, never from `Host`. */
export const incomingOf = (request: FastifyRequest, settings: HubSettings): IncomingRequest => {
  const { localAddress = settings.host, localPort = settings.port } = request.socket;
  const base = settings.publicUrl?.replace(/\/+$/, '') ?? `http://${localAddress}:${localPort}`;
  return {
    method: request.method,
    url: `${base}${request.url}`,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
};

/** The same refusal for every address, so that it tells nothing about accounts. */
export const tooLarge = ({ body }: IncomingRequest): DeliveryAnswer | undefined =>
  body.length <= maxDeliveryBytes
    ? undefined
    : problem(413, 'CHANNEL.TOO_LARGE', `the body has ${body.length} bytes, the limit is ${maxDeliveryBytes}`);

/** Sends an answer as it is; never sniffed, never cached. */
export const send = async (reply: FastifyReply, answer: DeliveryAnswer): Promise<void> => {
  await reply
    .status(answer.status)
    .headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', ...answer.headers })
    .send(answer.body ?? '');
};
