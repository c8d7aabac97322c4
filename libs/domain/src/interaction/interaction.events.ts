import type { Attachment, AttributeValue, ChannelName, Direction, Instant, InteractionKind, Uuid } from '#libs/kernel';
import { privacyOf } from '../personal.js';

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

/** What is kept of a contact. Shape 1 was stored in clear; shape 2 is the same, sealed as `interactionPrivacy` says. */
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
  /** The key is destroyed: sealed fields are missing or read `erased`. Never stored. */
  erased?: true;
}

/**
 * Ids that providers give are sealed too: some are phone numbers or addresses, a Message-ID names the sender's domain,
 * and integrations put in what they like. Our own account and agent names are no customer's data.
 */
export const interactionPrivacy = privacyOf<InteractionContent>('anchor', {
  channel: 'clear',
  account: 'clear',
  externalId: 'marked',
  revision: 'clear',
  kind: 'clear',
  conversation: 'clear',
  threadId: 'sealed',
  direction: 'clear',
  occurredAt: 'clear',
  endedAt: 'clear',
  receivedAt: 'clear',
  anchor: 'clear',
  identities: { each: { identity: 'clear', type: 'clear', value: 'marked', verified: 'clear', blocked: 'clear' } },
  name: 'sealed',
  agent: 'clear',
  subject: 'sealed',
  text: 'sealed',
  html: 'sealed',
  language: 'clear',
  outcome: 'unnamed',
  attachments: 'sealed',
  attributes: 'sealed',
  digest: 'clear',
});

/** What projections and identity rules read of a contact; its text need be no longer than a preview. */
export type ContactSummary = Pick<
  InteractionContent,
  | 'channel' | 'account' | 'revision' | 'kind' | 'conversation' | 'direction' | 'occurredAt' | 'endedAt' | 'receivedAt'
  | 'anchor' | 'identities' | 'name' | 'agent' | 'subject' | 'text' | 'outcome' | 'erased'
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

/** The provider sent a recorded contact once more, alike but for its sender: one sender goes by several identifiers. */
export interface SenderAliasSeen {
  type: 'SenderAliasSeen';
  data: {
    /** As of the contact recorded: what the other identifiers were seen beside. */
    anchor: Uuid;
    /** The anchor's own identity, and those that the contact had not carried before. */
    identities: CarriedIdentity[];
    kind: InteractionKind;
    occurredAt: Instant;
    name?: string;
    /** Fingerprint of the delivery, equal for a redelivery of it. */
    digest: string;
    /** The key is destroyed. Never stored. */
    erased?: true;
  };
}

export const aliasPrivacy = privacyOf<SenderAliasSeen['data']>('anchor', {
  anchor: 'clear',
  identities: { each: { identity: 'clear', type: 'clear', value: 'marked', verified: 'clear', blocked: 'clear' } },
  kind: 'clear',
  occurredAt: 'clear',
  name: 'sealed',
  digest: 'clear',
});

/** Events that hold the whole content of a contact. */
export type ContentEvent = InteractionRecorded | InteractionCorrected;

/** Whether an event of an interaction's stream holds its content. */
export const isContentEvent = ({ type }: { type: string }): boolean =>
  type === 'InteractionRecorded' || type === 'InteractionCorrected';

export type InteractionEvent = ContentEvent | SenderAliasSeen;
