import type { DeliveryOutcome } from '#libs/bus';
import { ParkDelivery } from '#libs/channels';
import { channelAdapters } from '#libs/channels/channels.module.js';
import { DeliveryCounters } from '#libs/channels/intake/delivery-counters.js';
import { InteractionPublisher } from '#libs/channels/intake/interaction-publisher.js';
import { Undeliverable } from '#libs/channels/intake/undeliverable.js';
import type { ParkedMessage } from '#libs/event-store';
import { codeOf, messageOf } from '#libs/kernel';
import { failure } from './errors.js';
import type { Line } from './line-program.js';

/**
 * Has the adapter of a parked delivery read it again, and publishes what it finds. The sender was proven when the
 * delivery came; headers other than its content type are not kept.
 */
export const replayDelivery = async ({ app, parts }: Line, message: ParkedMessage): Promise<DeliveryOutcome[]> => {
  const stays = (problem: string) => failure(`parked message ${message.id} cannot be replayed: ${problem}`);
  if (message.reasonCode !== 'CHANNEL.UNREADABLE') throw stays(`${message.reason}; discard it`);
  const adapters = channelAdapters();
  const account = parts.accounts
    .all()
    .find(
      ({ tenant, name, adapter }) =>
        tenant === message.tenant && name === message.account && adapters.byName(adapter)?.channel === message.channel,
    );
  const adapter = account && adapters.byName(account.adapter);
  if (!adapter)
    throw stays(`the accounts file names no ${message.channel} account ${message.account}; set HILO_ACCOUNTS_FILE`);
  const { bytes: body, contentType, receivedAtMs } = message;
  try {
    const { interactions, rejected = [] } = await adapter.parse({
      account,
      method: 'POST',
      url: '',
      headers: { 'content-type': contentType },
      body,
      receivedAtMs,
    });
    if (rejected.length > 0) throw stays(`its channel still cannot read it: ${rejected[0]!.reason}`);
    const counters = new DeliveryCounters();
    const publisher = new InteractionPublisher(
      parts.bus,
      parts.log.ids,
      new Undeliverable(app.get(ParkDelivery, { strict: false }), counters),
      counters,
    );
    return await publisher.publishParsed(account, interactions, receivedAtMs);
  } catch (error) {
    if (codeOf(error) !== 'CHANNEL.UNREADABLE') throw error;
    throw stays(`its channel still cannot read it: ${messageOf(error)}`);
  }
};
