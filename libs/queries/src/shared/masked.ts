import { maskIdentifier } from '#libs/privacy/masking/mask-identifier.js';
import type { CommitmentDto } from '../agent-work/commitment.dto.js';
import type { ConsentDto, PreferenceDto } from '../consents/consents.dto.js';
import type { ConversationDto } from '../conversations/get-conversation.handler.js';
import type { CustomerDto, CustomerIdentityDto, CustomerListDto } from '../customers/customer.dto.js';
import type { InteractionDto } from '../interactions/get-interaction.handler.js';
import type {
  CustomerIdentitiesDto,
  LinkDto,
  LinkEndDto,
  LinkPreviewDto,
  LinkProposalPageDto,
} from '../links/links.dto.js';
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

export const maskPage = ({ items, next, previous, asOfPosition }: TimelinePageDto): TimelinePageDto => ({
  items: items.map(maskEntry),
  ...(next === undefined ? {} : { next }),
  ...(previous === undefined ? {} : { previous }),
  ...(asOfPosition === undefined ? {} : { asOfPosition }),
});

export const maskConversation = (conversation: ConversationDto): ConversationDto =>
  Object.assign({ id: conversation.id, customers: conversation.customers }, maskPage(conversation));

const maskCommitment = ({ id, conversation, dueAt, madeAt, agent }: CommitmentDto): CommitmentDto => ({
  id,
  conversation,
  ...(dueAt === undefined ? {} : { dueAt }),
  madeAt,
  agent,
});

export const maskCustomer = (customer: CustomerDto): CustomerDto => {
  const { id, channels, interactions, preferredChannel, preferredChannelSource, asOfPosition } = customer;
  const { firstContactAt, lastContactAt } = customer;
  return {
    id,
    names: [],
    identities: customer.identities.map(maskIdentity),
    profiles: customer.profiles.map(({ source, externalId, createdAt, consents }) => ({
      source,
      externalId: maskIdentifier('externalId', externalId),
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(consents === undefined ? {} : { consents }),
    })),
    channels,
    interactions,
    ...(preferredChannel === undefined ? {} : { preferredChannel }),
    ...(preferredChannelSource === undefined ? {} : { preferredChannelSource }),
    preferences: customer.preferences.map(maskPreference),
    consents: customer.consents.map(maskConsent),
    ...(firstContactAt === undefined ? {} : { firstContactAt }),
    ...(lastContactAt === undefined ? {} : { lastContactAt }),
    commitments: customer.commitments.map(maskCommitment),
    openCommitments: customer.openCommitments,
    ...(asOfPosition === undefined ? {} : { asOfPosition }),
    masked: true,
  };
};

// What somebody said or wrote as evidence is free text about the person.
const maskConsent = ({ purpose, channel, granted, statedAt, until, source, identity, by }: ConsentDto): ConsentDto => ({
  purpose,
  ...(channel === undefined ? {} : { channel }),
  granted,
  statedAt,
  ...(until === undefined ? {} : { until }),
  source,
  identity,
  ...(by === undefined ? {} : { by }),
});

const maskPreference = ({ channel, purpose, statedAt, until, identity, by }: PreferenceDto): PreferenceDto => ({
  channel,
  ...(purpose === undefined ? {} : { purpose }),
  statedAt,
  ...(until === undefined ? {} : { until }),
  identity,
  by,
});

export const maskCustomers = ({ items, asOfPosition }: CustomerListDto): CustomerListDto => ({
  items: items.map(maskCustomer),
  ...(asOfPosition === undefined ? {} : { asOfPosition }),
});

export const maskInteraction = (interaction: InteractionDto): InteractionDto => {
  const { revision, lastPosition, receivedAt, endedAt, language, customer } = interaction;
  return Object.assign(maskEntry(interaction), {
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
  });
};

const maskIdentity = (identity: CustomerIdentityDto): CustomerIdentityDto => {
  const { id, type, value, verified, heldFrom, heldUntil } = identity;
  return {
    id,
    type,
    value: maskIdentifier(type, value),
    verified,
    ...(heldFrom === undefined ? {} : { heldFrom }),
    ...(heldUntil === undefined ? {} : { heldUntil }),
  };
};

const maskEnd = (end: LinkEndDto): LinkEndDto => Object.assign(maskIdentity(end), { customer: end.customer });

/** The reasons that people gave stay out: they are free text about the customer. */
const maskLink = ({ id, status, between, decisions }: LinkDto): LinkDto => ({
  id,
  status,
  between: between.map(maskEnd),
  decisions: decisions.map(({ decision, at, position, agent, rule, evidence, confidence }) => ({
    decision,
    at,
    position,
    ...(agent === undefined ? {} : { agent }),
    ...(rule === undefined ? {} : { rule }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(confidence === undefined ? {} : { confidence }),
  })),
});

export const maskIdentities = ({
  id,
  identities,
  links,
  next,
  previous,
  asOfPosition,
}: CustomerIdentitiesDto): CustomerIdentitiesDto => ({
  id,
  identities: identities.map(maskIdentity),
  links: links.map(maskLink),
  ...(asOfPosition === undefined ? {} : { asOfPosition }),
  ...(next === undefined ? {} : { next }),
  ...(previous === undefined ? {} : { previous }),
});

export const maskProposals = ({ items, next, previous }: LinkProposalPageDto): LinkProposalPageDto => ({
  items: items.map(({ id, proposedAt, position, evidence, confidence, reason, rule, between }) => ({
    id,
    proposedAt,
    position,
    evidence,
    confidence,
    reason,
    ...(rule === undefined ? {} : { rule }),
    between: between.map(maskEnd),
  })),
  ...(next === undefined ? {} : { next }),
  ...(previous === undefined ? {} : { previous }),
});

/** Says what kinds of conflicts there are, not what they consist of. */
export const maskPreview = (preview: LinkPreviewDto): LinkPreviewDto => ({
  action: preview.action,
  link: preview.link,
  changes: preview.changes,
  before: preview.before.map(maskCustomer),
  after: preview.after.map(maskCustomer),
  heldBy: preview.heldBy,
  conflicts: preview.conflicts.map(({ kind }) => ({ kind, one: [], other: [] })),
  position: preview.position,
});
