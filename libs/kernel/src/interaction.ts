import type { Instant } from './instant.js';

/** Who owns the data; always from the credential or the account, never from a body. */
export type TenantId = string;

/** Channels the hub knows; an integration may register further names of the same form. */
export const CHANNELS = [
  'email', 'phone', 'web', 'chat', 'sms', 'whatsapp', 'social', 'store', 'commerce', 'letter', 'fax', 'partner',
] as const; // prettier-ignore
export type ChannelName = (typeof CHANNELS)[number] | (string & {});

export const INTERACTION_KINDS = [
  'message',
  'call',
  'visit',
  'order',
  'case',
  'feedback',
  'status',
  'identify',
] as const;
export type InteractionKind = (typeof INTERACTION_KINDS)[number];

/** What agents write down at a conversation; no delivery brings it. */
export const AGENT_WORK_KINDS = ['note', 'commitment'] as const;
/** What a timeline holds. */
export const ENTRY_KINDS = [...INTERACTION_KINDS, ...AGENT_WORK_KINDS] as const;

export const DIRECTIONS = ['inbound', 'outbound', 'internal'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Identifier types the hub knows; an integration may register further names of the same form. */
export const IDENTIFIER_TYPES = [
  'email',
  'phone',
  'account',
  'loyalty',
  'cookie',
  'social',
  'handle',
  'card',
  'postal',
] as const;
export type IdentifierType = (typeof IDENTIFIER_TYPES)[number] | (string & {});

/** Bounds of what travels; above them the edge answers 413 or 422, and never cuts. */
export const LIMITS = {
  interactionBytes: 256 * 1024,
  batchItems: 1000,
  batchBytes: 5 * 1024 * 1024,
  attributesBytes: 16 * 1024,
  identifiers: 50,
  attachments: 100,
} as const;

export interface CustomerIdentifier {
  type: IdentifierType;
  value: string;
  /** Proven by the channel (a login, a signed hash), not just claimed. */
  verified?: boolean;
}

export interface Attachment {
  name?: string;
  contentType?: string;
  /** Size in bytes. */
  bytes?: number;
  /** Where the provider keeps it. */
  url?: string;
  /** The provider's id of it. */
  externalId?: string;
}

export type AttributeValue = string | number | boolean | null | (string | number | boolean | null)[];

/** One contact with a customer on its way to the event store. Field meanings and limits: docs of `POST /v1/interactions`. */
export interface InboundInteraction {
  tenant: TenantId;
  channel: ChannelName;
  /** Which of our mailboxes, numbers, pages or shops was contacted. */
  account: string;
  /** The provider's own id, unique in tenant, channel and account. */
  externalId: string;
  /** A higher revision corrects a lower one. @default 1 */
  revision?: number;
  kind: InteractionKind;
  /** The provider's conversation. */
  threadId?: string;
  direction: Direction;
  /** The provider's clock. */
  occurredAt: Instant;
  /**
   * `occurredAt` is our clock, or was corrected by it: another delivery of the same contact has another one, so it is
   * no part of what was said.
   */
  timeIsOurs?: true;
  endedAt?: Instant;
  /** Our clock, when the delivery reached the edge. */
  receivedAt: Instant;
  customer?: { identifiers?: CustomerIdentifier[]; name?: string };
  agent?: string;
  subject?: string;
  text?: string;
  html?: string;
  /** BCP 47 tag. */
  language?: string;
  outcome?: string;
  attachments?: Attachment[];
  attributes?: Record<string, AttributeValue>;
}

/** One customer record of another system, as it stood when imported. */
export interface InboundProfile {
  tenant: TenantId;
  /** The system it comes from, for example `crm`. */
  source: string;
  /** The record's id there. */
  externalId: string;
  revision?: number;
  identifiers?: CustomerIdentifier[];
  name?: string;
  givenName?: string;
  familyName?: string;
  /** `YYYY-MM-DD`. */
  birthDate?: string;
  /** Country of national phone numbers in this record, ISO 3166-1 alpha-2; overrides the account's. */
  country?: string;
  createdAt?: Instant;
  receivedAt: Instant;
  consents?: Record<string, boolean>;
  attributes?: Record<string, AttributeValue>;
}
