import type { Attachment, AttributeValue, ChannelName, Direction, Instant, InteractionKind, Uuid } from '#libs/kernel';

/** An identity as an interaction or a profile carried it. */
export interface CarriedIdentity {
  identity: Uuid;
  type: string;
  /** Normalised. */
  value: string;
  verified?: true;
  /** Not fit to tell people apart (`anonymous`, a role mailbox); kept for display. */
  blocked?: true;
}

/** Shape 1 of what is kept of a contact. */
export interface InteractionContent {
  channel: ChannelName;
  account: string;
  externalId: string;
  revision: number;
  kind: InteractionKind;
  conversation: Uuid;
  threadId?: string;
  direction: Direction;
  occurredAt: Instant;
  endedAt?: Instant;
  receivedAt: Instant;
  /** The identity the contact belongs to while nothing links it to others. */
  anchor: Uuid;
  identities: CarriedIdentity[];
  name?: string;
  agent?: string;
  subject?: string;
  text?: string;
  html?: string;
  language?: string;
  outcome?: string;
  attachments?: Attachment[];
  attributes?: Record<string, AttributeValue>;
  /** Keyed fingerprint of what the provider said, without our clock: equal for a redelivery. */
  digest: string;
}

/** What projections and identity rules read of a contact; its text need be no longer than a preview. */
export type ContactSummary = Pick<
  InteractionContent,
  | 'channel' | 'account' | 'revision' | 'kind' | 'conversation' | 'direction' | 'occurredAt' | 'endedAt' | 'receivedAt'
  | 'anchor' | 'identities' | 'name' | 'agent' | 'subject' | 'text' | 'outcome'
>; // prettier-ignore

/** A contact was heard of for the first time. */
export interface InteractionRecorded {
  type: 'InteractionRecorded';
  data: InteractionContent;
}

/** The provider sent a higher revision of a recorded contact; the content is the whole new one. */
export interface InteractionCorrected {
  type: 'InteractionCorrected';
  data: InteractionContent;
}

export type InteractionEvent = InteractionRecorded | InteractionCorrected;
