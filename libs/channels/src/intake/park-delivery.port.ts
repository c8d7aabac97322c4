/** Bytes that a genuine sender handed over and that cannot become a contact as they are. */
export interface UndeliverableBytes {
  tenant: string;
  channel: string;
  /** Name of the account, as on the timeline. */
  account: string;
  /** Where it failed: always `parse`. */
  stage: string;
  /** `CHANNEL.UNREADABLE` or `CHANNEL.TOO_LARGE`. */
  reasonCode: string;
  /** One sentence for an operator, without personal data. */
  reason: string;
  contentType: string;
  /** What arrived, exactly. */
  bytes: Buffer;
  /** Id of the contact, where it could be computed. */
  receipt?: string;
  /** Epoch milliseconds. */
  receivedAtMs: number;
}

/** Keeps undeliverable bytes until somebody looks at them. The program binds it to its parked messages. */
export abstract class ParkDelivery {
  /** Resolves with the id of the parked message once it is durable. */
  abstract park(message: UndeliverableBytes): Promise<string>;
}
