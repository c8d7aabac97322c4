import { Inject, Injectable } from '@nestjs/common';
import { InteractionBus, type DeliveryOutcome } from '#libs/bus';
import { IdFactory, LIMITS, toInstant, type InboundInteraction } from '#libs/kernel';
import type { ChannelAccount, ParsedInteraction } from '../channel-adapter.port.js';
import { DeliveryCounters } from './delivery-counters.js';
import { Undeliverable } from './undeliverable.js';

/** The way of every adapter onto the bus. */
@Injectable()
export class InteractionPublisher {
  constructor(
    @Inject(InteractionBus) private readonly bus: InteractionBus,
    private readonly ids: IdFactory,
    private readonly undeliverable: Undeliverable,
    private readonly counters: DeliveryCounters,
  ) {}

  /**
   * Adds tenant, account name, our clock and the receipt, and resolves when all are durable, with one outcome per
   * contact in the order given. A contact above `LIMITS.interactionBytes` is parked, never cut.
   * @throws HubError what the bus throws: `BUS.FULL` took nothing.
   */
  async publishParsed(
    account: ChannelAccount,
    parsed: readonly ParsedInteraction[],
    receivedAtMs: number,
  ): Promise<DeliveryOutcome[]> {
    const contacts = parsed.map(({ dedupeKey: _dedupeKey, ...contact }) => {
      const interaction: InboundInteraction = {
        ...contact,
        tenant: account.tenant,
        account: account.name,
        receivedAt: toInstant(receivedAtMs),
      };
      const receipt = this.ids.interaction(account.tenant, contact.channel, account.name, contact.externalId);
      return { type: 'interaction' as const, receipt, interaction };
    });
    const bytes = contacts.map(({ interaction }) => Buffer.byteLength(JSON.stringify(interaction)));
    const fitting = contacts.filter((_, index) => bytes[index]! <= LIMITS.interactionBytes);
    const published = fitting.length === 0 ? [] : await this.bus.publish(fitting);
    const outcomes: DeliveryOutcome[] = [];
    let next = 0;
    for (const [index, contact] of contacts.entries())
      outcomes.push(
        bytes[index]! <= LIMITS.interactionBytes
          ? published[next++]!
          : await this.parkOversized(account, contact, receivedAtMs),
      );
    this.counters.received(account.adapter, parsed.length);
    return outcomes;
  }

  private async parkOversized(
    account: ChannelAccount,
    { receipt, interaction }: { receipt: string; interaction: InboundInteraction },
    receivedAtMs: number,
  ): Promise<DeliveryOutcome> {
    const bytes = Buffer.from(JSON.stringify(interaction));
    const reason = `the contact has ${bytes.length} bytes, the limit is ${LIMITS.interactionBytes}`;
    const parked = await this.undeliverable.park(account, {
      channel: interaction.channel,
      reasonCode: 'CHANNEL.TOO_LARGE',
      reason,
      contentType: 'application/json',
      bytes,
      receipt,
      receivedAtMs,
    });
    return { status: 'parked', receipt: parked, reason };
  }
}
