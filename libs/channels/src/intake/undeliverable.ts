import { Injectable } from '@nestjs/common';
import type { ChannelAccount } from '../channel-adapter.port.js';
import { DeliveryCounters } from './delivery-counters.js';
import { ParkDelivery, type UndeliverableBytes } from './park-delivery.port.js';

/** Parks what an account's adapter cannot read, and counts it. */
@Injectable()
export class Undeliverable {
  constructor(
    private readonly parked: ParkDelivery,
    private readonly counters: DeliveryCounters,
  ) {}

  /** Resolves with the id of the parked message once it is durable. */
  async park(
    account: ChannelAccount,
    message: Omit<UndeliverableBytes, 'tenant' | 'account' | 'stage'>,
  ): Promise<string> {
    const id = await this.parked.park({ ...message, tenant: account.tenant, account: account.name, stage: 'parse' });
    this.counters.parked(account.adapter);
    return id;
  }
}
