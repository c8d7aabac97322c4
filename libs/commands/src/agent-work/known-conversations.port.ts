import type { ChannelName, Uuid } from '#libs/kernel';

/** Where a conversation stands: what its newest contact came through, and with whom. */
export interface ConversationPlace {
  anchor: Uuid;
  channel: ChannelName;
  account: string;
}

/** Finds the conversations that agents write to; one is known once the read model shows a contact of it. */
export abstract class KnownConversations {
  /** @returns undefined for unknown ids, malformed ids and those of other tenants alike. */
  abstract find(tenant: string, conversation: string): Promise<ConversationPlace | undefined>;
}
