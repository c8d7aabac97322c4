import { maskIdentifier } from '#libs/privacy/masking/mask-identifier.js';
import type { ConversationDto } from '../conversations/get-conversation.handler.js';
import type { CustomerDto, CustomerListDto } from '../customers/customer.dto.js';
import type { InteractionDto } from '../interactions/get-interaction.handler.js';
import type { TimelineEntryDto, TimelinePageDto } from '../timeline/timeline.dto.js';

// What a caller without the scope `pii` is shown. Each answer is put together anew from what is named here, so that a
// new field is hidden until somebody has thought about it.

export const maskEntry = ({
  id, conversation, channel, account, kind, direction, occurredAt, recordedAt, position, late, corrected, agent, outcome,
}: TimelineEntryDto): TimelineEntryDto => ({
  id, conversation, channel, account, kind, direction, occurredAt, recordedAt, position, late, corrected,
  ...(agent === undefined ? {} : { agent }),
  ...(outcome === undefined ? {} : { outcome }),
  masked: true,
}); // prettier-ignore

export const maskPage = ({ items, next, previous }: TimelinePageDto): TimelinePageDto => ({
  items: items.map(maskEntry),
  ...(next === undefined ? {} : { next }),
  ...(previous === undefined ? {} : { previous }),
});

export const maskConversation = ({ id, customers, ...page }: ConversationDto): ConversationDto => ({
  id,
  customers,
  ...maskPage(page),
});

export const maskCustomer = (customer: CustomerDto): CustomerDto => {
  const { id, channels, interactions, preferredChannel, firstContactAt, lastContactAt } = customer;
  return {
    id,
    identities: customer.identities.map((identity) => ({
      id: identity.id,
      type: identity.type,
      value: maskIdentifier(identity.type, identity.value),
      verified: identity.verified,
    })),
    profiles: customer.profiles.map(({ source, externalId, createdAt, consents }) => ({
      source,
      externalId: maskIdentifier('externalId', externalId),
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(consents === undefined ? {} : { consents }),
    })),
    channels,
    interactions,
    ...(preferredChannel === undefined ? {} : { preferredChannel }),
    ...(firstContactAt === undefined ? {} : { firstContactAt }),
    ...(lastContactAt === undefined ? {} : { lastContactAt }),
    masked: true,
  };
};

export const maskCustomers = ({ items }: CustomerListDto): CustomerListDto => ({ items: items.map(maskCustomer) });

export const maskInteraction = (interaction: InteractionDto): InteractionDto => {
  const { revision, lastPosition, receivedAt, endedAt, language, customer } = interaction;
  return {
    ...maskEntry(interaction),
    // The provider's ids hold addresses of its users: a Message-ID names the sender's domain.
    externalId: maskIdentifier('externalId', interaction.externalId),
    revision,
    lastPosition,
    receivedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(language === undefined ? {} : { language }),
    customer,
    identifiers: interaction.identifiers.map(({ identity, type, value, verified, blocked }) => ({
      identity,
      type,
      value: maskIdentifier(type, value),
      ...(verified === undefined ? {} : { verified }),
      ...(blocked === undefined ? {} : { blocked }),
    })),
    body: {},
  };
};
