/** Bytes that a genuine sender handed over and that cannot become a contact as they are. */
export interface UndeliverableBytes {
  tenant: string;
  channel: string;
  /** Name of the account, as on the timeline. */
  account: string;
  /** Always `channel`: what failed is the reading of the provider's format. */
  stage: string;
  /** For example `CHANNEL.UNREADABLE`. */
  reasonCode: string;
  /** For people; names no customer. */
  reason: string;
  contentType: string;
  bytes: Buffer;
  /** Receipt of the contact, where it could be computed. */
  receipt?: string;
  receivedAtMs: number;
}

/** Keeps undeliverable bytes, sealed, until somebody looks at them. The hub binds it to the parked messages. */
export abstract class ParkDelivery {
  /** Resolves with the id of the parked message once it is durable. */
  abstract park(message: UndeliverableBytes): Promise<string>;
}
