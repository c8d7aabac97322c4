import { Injectable } from '@nestjs/common';
import { ParkedMessages } from '#libs/event-store/parked/parked-messages.port.js';
import { IdFactory } from '#libs/kernel';
import type { ChannelAccount } from '../channel-adapter.port.js';
import { sha256 } from '../shared/contact.js';
import { DeliveryCounters } from './delivery-counters.js';

/** Bytes of a genuine sender that cannot become a contact as they are. */
export interface UndeliverableBytes {
  channel: string;
  /** For example `CHANNEL.UNREADABLE`. */
  reasonCode: string;
  /** For people; names no customer. */
  reason: string;
  contentType: string;
  bytes: Buffer;
  /** Id of the contact, where it could be computed. */
  receipt?: string;
  /** Epoch milliseconds. */
  receivedAtMs: number;
}

/** Keeps what an adapter cannot read until somebody looks at it. The same bytes again are one more attempt. */
@Injectable()
export class Undeliverable {
  constructor(
    private readonly parked: ParkedMessages,
    private readonly ids: IdFactory,
    private readonly counters: DeliveryCounters,
  ) {}

  /** Resolves with the id of the parked message once it is durable. */
  async park(account: ChannelAccount, undeliverable: UndeliverableBytes): Promise<string> {
    const { tenant, name } = account;
    const { channel, reasonCode, bytes } = undeliverable;
    const id = this.ids.interaction(tenant, channel, name, `parked:${reasonCode}:${sha256(bytes)}`);
    const parked = await this.parked.park({ id, tenant, account: name, stage: 'parse', ...undeliverable });
    this.counters.parked(account.adapter);
    return parked;
  }
}
