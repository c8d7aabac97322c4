import {
  CHANNELS,
  DIRECTIONS,
  IDENTIFIER_TYPES,
  INTERACTION_KINDS,
  LIMITS,
  type AttributeValue,
  type Direction,
  type InteractionKind,
} from '#libs/kernel';
import {
  attributes,
  day,
  Field,
  flag,
  flags,
  form,
  instant,
  integer,
  keyText,
  listOf,
  name,
  object,
  oneOf,
  OptionalField,
  text,
} from './field.js';

const REVISION = integer(1, 2_147_483_647);

export class IdentifierDto {
  @Field(name(32, IDENTIFIER_TYPES), 'What kind of identifier it is.')
  type!: string;

  @Field(keyText(500), 'The identifier as the channel gives it; the hub normalises it.')
  value!: string;

  @OptionalField(flag(), 'Proven by the channel (a login, a signed hash), not just claimed.')
  verified?: boolean | null;
}

export class CustomerDto {
  @OptionalField(listOf(() => IdentifierDto, LIMITS.identifiers), 'Everything the channel knows the customer by.')
  identifiers?: IdentifierDto[] | null;

  @OptionalField(text(200), 'The name as the channel gives it.')
  name?: string | null;
}

export class AttachmentDto {
  @OptionalField(text(500), 'File name.')
  name?: string | null;

  @OptionalField(text(200), 'Media type.')
  contentType?: string | null;

  @OptionalField(integer(0, Number.MAX_SAFE_INTEGER), 'Size in bytes.')
  bytes?: number | null;

  @OptionalField(
    form(/^[Hh][Tt][Tt][Pp][Ss]?:\/\/\S+$/, 'http or https address of at most 4000 characters', { max: 4000 }),
    'Where the provider keeps it.',
  )
  url?: string | null;

  @OptionalField(text(500), "The provider's id of it.")
  externalId?: string | null;
}

/** One contact with a customer, as an integration posts it. The tenant comes from the API key. */
export class InteractionDto {
  @Field(name(32, CHANNELS), 'The channel it came through.')
  channel!: string;

  @Field(keyText(200), 'Which of our mailboxes, numbers, pages or shops was contacted.')
  account!: string;

  @Field(keyText(500), "The provider's own id, unique in channel and account: the same id again is the same contact.")
  externalId!: string;

  @OptionalField(REVISION, 'A higher revision corrects a lower one; default 1.')
  revision?: number | null;

  @Field(oneOf(INTERACTION_KINDS), 'What kind of contact it is.')
  kind!: InteractionKind;

  @OptionalField(keyText(500), "The provider's conversation.")
  threadId?: string | null;

  @OptionalField(oneOf(DIRECTIONS), 'Who contacted whom; default inbound.')
  direction?: Direction | null;

  @Field(instant(), "When it happened, by the provider's clock; at most 24 hours ahead of ours.")
  occurredAt!: string;

  @OptionalField(instant(), "When it ended, by the provider's clock.")
  endedAt?: string | null;

  @OptionalField(object(() => CustomerDto), 'Who the customer is, as far as the channel knows.')
  customer?: CustomerDto | null;

  @OptionalField(text(200), 'Who of ours took part.')
  agent?: string | null;

  @OptionalField(text(1000), 'Subject line.')
  subject?: string | null;

  @OptionalField(text(), 'What was said, as plain text.')
  text?: string | null;

  @OptionalField(text(), 'What was said, as HTML; sanitised when it is shown.')
  html?: string | null;

  @OptionalField(
    form(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'BCP 47 tag, for example es or pt-BR', { max: 35, echo: true }),
    'Language of the text.',
  )
  language?: string | null;

  @OptionalField(text(200), 'How it ended.')
  outcome?: string | null;

  @OptionalField(
    listOf(() => AttachmentDto, LIMITS.attachments),
    'What came with it; the files stay with the provider.',
  )
  attachments?: AttachmentDto[] | null;

  @OptionalField(attributes(), 'What else is known about this contact.')
  attributes?: Record<string, AttributeValue> | null;
}

/** One customer record of another system, as an integration posts it. The tenant comes from the API key. */
export class ProfileDto {
  @Field(keyText(200), 'The system it comes from, for example crm.')
  source!: string;

  @Field(keyText(500), "The record's id there.")
  externalId!: string;

  @OptionalField(REVISION, 'A higher revision corrects a lower one; default 1.')
  revision?: number | null;

  @OptionalField(listOf(() => IdentifierDto, LIMITS.identifiers), 'Everything that system knows the customer by.')
  identifiers?: IdentifierDto[] | null;

  @OptionalField(text(200), 'Full name.')
  name?: string | null;

  @OptionalField(text(200), 'Given name.')
  givenName?: string | null;

  @OptionalField(text(200), 'Family name.')
  familyName?: string | null;

  @OptionalField(day(), 'Day of birth.')
  birthDate?: string | null;

  @OptionalField(
    form(/^[A-Z]{2}$/, 'ISO 3166-1 alpha-2, for example ES', { max: 2, echo: true }),
    'Country of national phone numbers in this record.',
  )
  country?: string | null;

  @OptionalField(instant(), 'When that system made the record.')
  createdAt?: string | null;

  @OptionalField(flags(100), 'What the customer agreed to, by purpose or channel.')
  consents?: Record<string, boolean> | null;

  @OptionalField(attributes(), 'What else is known about the customer.')
  attributes?: Record<string, AttributeValue> | null;
}
