import type { ChannelName, InboundInteraction } from '#libs/kernel';

/** One declared inbox, number, page, form or shop: the tenant it belongs to and what proves its provider. */
export interface ChannelAccount {
  /** Unique in the installation; appears in webhook addresses. Letters, digits, `-`, `_`, `.`; at most 64. */
  id: string;
  tenant: string;
  /** Folder name of the adapter, for example `telegram`. */
  adapter: string;
  /** What `account` says on the timeline, for example the mail address or number. @default id */
  name: string;
  /** Accepted secrets, any of them proves the sender (rotation). */
  secrets: readonly string[];
  /** ISO 3166-1 alpha-2, for phone numbers in national form. */
  defaultCountry?: string;
  /** What the adapter alone understands, validated by its settings class. */
  settings: Readonly<Record<string, unknown>>;
}

/** A delivery exactly as it arrived. */
export interface RawDelivery {
  account: ChannelAccount;
  method: string;
  /** The public URL the provider called, query included, built from configuration. */
  url: string;
  /** Lower-case names; a repeated header joined by `, `. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** Epoch milliseconds, our clock. */
  receivedAtMs: number;
}

/** A contact as an adapter reads it: tenant and our clock are added by the edge, which knows them. */
export type ParsedInteraction = Omit<InboundInteraction, 'tenant' | 'receivedAt'> & {
  /** `<channel>:<account>:<vendor id>`: equal for every delivery of the same provider message. */
  dedupeKey: string;
};

export interface IgnoredItem {
  /** Why it is no contact, for counting: `delivery-receipt`, `unsupported:poll`. */
  reason: string;
  /** The vendor's id or place in the delivery. */
  item: string;
}

/** A broken part of a delivery whose other parts are good. */
export interface RejectedItem extends IgnoredItem {
  /** What to park: the part alone, as text of the delivery's content type. */
  raw: string;
}

/** What one delivery held. */
export interface ParsedDelivery {
  interactions: ParsedInteraction[];
  /** What was understood but is no contact; counted, never thrown. */
  ignored: IgnoredItem[];
  /** What could not be read although the rest could; parked, so that it can be looked at and replayed. */
  rejected?: RejectedItem[];
}

/** What the provider is answered. */
export interface DeliveryAnswer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** Which door an adapter's deliveries come through; an account is reachable through its adapter's door only. */
export type Transport = 'webhook' | 'form' | 'tracking' | 'smtp' | 'file';

/** A class-validator class whose fields are the account's `settings`, with their defaults. */
export type SettingsClass = new () => object;

/**
 * A provider's deliveries, proven and read. One folder per channel; `channel-adapter.contract.ts` replays its fixtures.
 * `verify` throws `CHANNEL.UNVERIFIED` when the sender is not proven; `parse` is pure and total over verified bytes,
 * and throws (or rejects with) `CHANNEL.UNREADABLE` only for bytes that are not the provider's format at all.
 */
export abstract class ChannelAdapter {
  /** Folder name, as accounts declare it. */
  abstract readonly name: string;
  abstract readonly channel: ChannelName;
  abstract readonly transport: Transport;

  /** @default nothing may be set */
  readonly settings: SettingsClass = Object;

  /** Whether an account without a secret is a mistake. @default true */
  readonly needsSecret: boolean = true;

  /** Largest delivery in bytes. @default 1 MiB */
  readonly maxBodyBytes: number = 1024 * 1024;

  /** Status for a larger delivery. @default 413 */
  readonly tooLargeStatus: number = 413;

  abstract verify(delivery: RawDelivery, nowMs: number): void;

  /** A promise only where a library reads the format as a stream (MIME). */
  abstract parse(delivery: RawDelivery): ParsedDelivery | Promise<ParsedDelivery>;

  /** The answer to a request that is no delivery, such as a subscription handshake; undefined for everything else. */
  handshake(_delivery: RawDelivery): DeliveryAnswer | undefined {
    return undefined;
  }

  /** What the provider wants to hear once the delivery is durable. @default 200 without a body */
  answer(_delivery: RawDelivery, _parsed: ParsedDelivery): DeliveryAnswer {
    return { status: 200 };
  }
}
