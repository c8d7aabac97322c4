import type { BusMessage } from '#libs/bus';
import type { FieldError } from '#libs/access';
import {
  instantOf,
  parseInstantMs,
  type CustomerIdentifier,
  type IdFactory,
  type InboundInteraction,
  type Instant,
} from '#libs/kernel';
import { compileCheck } from './compiled-check.js';
import { explain } from './explain.js';
import { InteractionDto, ProfileDto, type AttachmentDto, type CustomerDto, type IdentifierDto } from './ingest.dto.js';

/** How far ahead of our clock a provider's may be: a day covers a wrong time zone, not a wrong year. */
export const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

/** What an item needs that is not in it. */
export interface Edge {
  tenant: string;
  nowMs: number;
  receivedAt: Instant;
  ids: IdFactory;
}

/** One thing that can be posted: how an item of it is read, and what to say when it cannot be. */
export interface Intake {
  /** Where a CloudEvent's `time` goes. */
  readonly timeField?: string;
  /** The message of an item, or undefined when anything is wrong with it. */
  read(value: unknown, edge: Edge): BusMessage | undefined;
  /** What is wrong with an item that `read` refused. */
  explain(value: unknown, path: string, edge: Edge): FieldError[];
}

const isInteraction = compileCheck(InteractionDto);
const isProfile = compileCheck(ProfileDto);

export const interactions: Intake = {
  timeField: 'occurredAt',
  read: (value, edge) => (isInteraction(value) ? interactionOf(value, edge) : undefined),
  explain: (value, path, edge) => {
    const errors = explain(InteractionDto, value, path);
    if (errors.length > 0) return errors;
    // Nothing is wrong with its form, so it is the one thing that the declaration cannot say.
    const aheadMs = isInteraction(value) ? parseInstantMs(value.occurredAt)! - edge.nowMs : 0;
    return [
      {
        path: `${path}.occurredAt`,
        message: `is ${Math.floor(aheadMs / 3_600_000)} hours ahead of our clock`,
        allowed: 'at most 24 hours ahead',
      },
    ];
  },
};

export const profiles: Intake = {
  read: (value, edge) => (isProfile(value) ? profileOf(value, edge) : undefined),
  explain: (value, path) => explain(ProfileDto, value, path),
};

const interactionOf = (dto: InteractionDto, edge: Edge): BusMessage | undefined => {
  const occurredMs = parseInstantMs(dto.occurredAt);
  if (occurredMs === undefined || occurredMs > edge.nowMs + MAX_AHEAD_MS) return undefined;
  const endedAt = optionalInstant(dto.endedAt);
  if (endedAt === null) return undefined;
  const { tenant } = edge;
  const { channel, account, externalId } = dto;
  const interaction: InboundInteraction = {
    tenant,
    channel,
    account,
    externalId,
    revision: dto.revision ?? undefined,
    kind: dto.kind,
    threadId: dto.threadId ?? undefined,
    direction: dto.direction ?? 'inbound',
    occurredAt: instantOf(dto.occurredAt, occurredMs),
    endedAt,
    receivedAt: edge.receivedAt,
    customer: dto.customer ? customerOf(dto.customer) : undefined,
    agent: dto.agent ?? undefined,
    subject: dto.subject ?? undefined,
    text: dto.text ?? undefined,
    html: dto.html ?? undefined,
    language: dto.language ?? undefined,
    outcome: dto.outcome ?? undefined,
    attachments: dto.attachments?.map(attachmentOf),
    attributes: dto.attributes ?? undefined,
  };
  return { type: 'interaction', receipt: edge.ids.interaction(tenant, channel, account, externalId), interaction };
};

const profileOf = (dto: ProfileDto, edge: Edge): BusMessage | undefined => {
  const createdAt = optionalInstant(dto.createdAt);
  if (createdAt === null) return undefined;
  const { tenant } = edge;
  const { source, externalId } = dto;
  return {
    type: 'profile',
    receipt: edge.ids.identity(tenant, 'profile', `${source}:${externalId}`),
    profile: {
      tenant,
      source,
      externalId,
      revision: dto.revision ?? undefined,
      identifiers: dto.identifiers?.map(identifierOf),
      name: dto.name ?? undefined,
      givenName: dto.givenName ?? undefined,
      familyName: dto.familyName ?? undefined,
      birthDate: dto.birthDate ?? undefined,
      country: dto.country ?? undefined,
      createdAt,
      receivedAt: edge.receivedAt,
      consents: dto.consents ?? undefined,
      attributes: dto.attributes ?? undefined,
    },
  };
};

/** The instant, undefined when there is none, null when the text is none. */
const optionalInstant = (text: string | null | undefined): Instant | undefined | null => {
  if (text === undefined || text === null) return undefined;
  const ms = parseInstantMs(text);
  return ms === undefined ? null : instantOf(text, ms);
};

const customerOf = ({ identifiers, name }: CustomerDto) => ({
  identifiers: identifiers?.map(identifierOf),
  name: name ?? undefined,
});

const identifierOf = ({ type, value, verified }: IdentifierDto): CustomerIdentifier =>
  typeof verified === 'boolean' ? { type, value, verified } : { type, value };

const attachmentOf = (dto: AttachmentDto) => ({
  name: dto.name ?? undefined,
  contentType: dto.contentType ?? undefined,
  bytes: dto.bytes ?? undefined,
  url: dto.url ?? undefined,
  externalId: dto.externalId ?? undefined,
});
