import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, codeOf, isRetryable, messageOf } from '#libs/kernel';
import type {
  ChannelAccount,
  ChannelAdapter,
  DeliveryAnswer,
  ParsedDelivery,
  RawDelivery,
  Transport,
} from '../channel-adapter.port.js';
import { ChannelAdapters } from './channel-adapters.js';
import { DeliveryCounters } from './delivery-counters.js';
import { InteractionPublisher } from './interaction-publisher.js';
import { Undeliverable } from './undeliverable.js';

/** A request as the controllers see it. */
export type IncomingRequest = Omit<RawDelivery, 'account' | 'receivedAtMs'>;

/** Seconds a provider is asked to wait while the bus takes nothing. */
const retryAfterSeconds = 5;

/** Problem details (RFC 9457) as an answer. */
export const problem = (
  status: number,
  code: string,
  detail: string,
  headers: Record<string, string> = {},
): DeliveryAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: 'about:blank', title: titles[status] ?? 'Error', status, code, detail }),
});

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  413: 'Content Too Large',
  503: 'Service Unavailable',
};

// Unknown account, wrong door, missing header and bad signature look alike.
const refusal = (): DeliveryAnswer =>
  problem(401, 'CHANNEL.UNVERIFIED', 'the sender of this delivery could not be verified');

/** Proves, reads and publishes one HTTP delivery, and says what the provider is answered. */
@Injectable()
export class DeliveryIntake {
  constructor(
    private readonly adapters: ChannelAdapters,
    private readonly publisher: InteractionPublisher,
    private readonly undeliverable: Undeliverable,
    private readonly counters: DeliveryCounters,
    private readonly clock: Clock,
  ) {}

  /**
   * Answers 2xx only once everything the delivery held is durable, be it as contacts or parked; 401 for an unproven
   * sender, 413 (or what the provider knows) for too much, 503 with `Retry-After` while the bus takes nothing.
   */
  async receive(
    door: Transport,
    account: ChannelAccount | undefined,
    request: IncomingRequest,
  ): Promise<DeliveryAnswer> {
    const adapter = account && this.adapters.byName(account.adapter);
    if (!adapter || adapter.transport !== door) {
      // The work a signature check would do, so that the time does not tell which accounts exist.
      createHash('sha256').update(request.body).digest();
      this.counters.unverified('unknown');
      return refusal();
    }
    const delivery: RawDelivery = { ...request, account, receivedAtMs: this.clock.nowMs() };
    try {
      return adapter.handshake(delivery) ?? (await this.take(adapter, delivery));
    } catch (error) {
      if (codeOf(error) === 'CHANNEL.UNVERIFIED') {
        this.counters.unverified(adapter.name);
        return refusal();
      }
      if (!isRetryable(error)) throw error;
      return problem(503, codeOf(error) ?? 'CHANNEL.UNAVAILABLE', 'nothing was taken; send it again', {
        'retry-after': String(retryAfterSeconds),
      });
    }
  }

  private async take(adapter: ChannelAdapter, delivery: RawDelivery): Promise<DeliveryAnswer> {
    adapter.verify(delivery, delivery.receivedAtMs);
    if (delivery.body.length > adapter.maxBodyBytes)
      return problem(
        adapter.tooLargeStatus,
        'CHANNEL.TOO_LARGE',
        `the body has ${delivery.body.length} bytes, the limit is ${adapter.maxBodyBytes}`,
      );
    let parsed: ParsedDelivery;
    try {
      parsed = await adapter.parse(delivery);
    } catch (error) {
      if (codeOf(error) !== 'CHANNEL.UNREADABLE') throw error;
      // Genuine but unreadable: a retry cannot get better, so the bytes are kept and the provider is told to stop.
      await this.parkRaw(adapter, delivery, delivery.body, messageOf(error));
      return adapter.answer(delivery, { interactions: [], ignored: [] });
    }
    for (const { reason } of parsed.ignored) this.counters.ignored(adapter.name, reason);
    for (const { reason, item, raw } of parsed.rejected ?? [])
      await this.parkRaw(adapter, delivery, Buffer.from(raw), `${item}: ${reason}`);
    if (parsed.interactions.length > 0)
      await this.publisher.publishParsed(delivery.account, parsed.interactions, delivery.receivedAtMs);
    return adapter.answer(delivery, parsed);
  }

  private async parkRaw(adapter: ChannelAdapter, delivery: RawDelivery, bytes: Buffer, reason: string): Promise<void> {
    await this.undeliverable.park(delivery.account, {
      channel: adapter.channel,
      reasonCode: 'CHANNEL.UNREADABLE',
      reason,
      contentType: delivery.headers['content-type'] ?? 'application/octet-stream',
      bytes,
      receivedAtMs: delivery.receivedAtMs,
    });
  }
}
