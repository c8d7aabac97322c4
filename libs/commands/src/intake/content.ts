import {
  chooseAnchor,
  normaliseIdentifier,
  type CarriedIdentity,
  type InteractionContent,
  type NormalisedIdentifier,
  type ProfileImported,
} from '#libs/domain';
import type { CustomerIdentifier, IdFactory, InboundInteraction, InboundProfile, Uuid } from '#libs/kernel';

/** The contact as it is kept: ids derived, identifiers normalised, anchor chosen, fingerprint taken. */
export const contentOf = (
  inbound: InboundInteraction,
  ids: IdFactory,
  country: string | undefined,
): InteractionContent => {
  const { tenant, receivedAt, customer, ...said } = inbound;
  const conversation = ids.conversation(tenant, said.channel, said.account, said.threadId ?? said.externalId);
  const normalised = normaliseAll(customer?.identifiers, country);
  const identities = normalised.map((n) => carried(n, ids.identity(tenant, n.type, n.value)));
  const anchor = chooseAnchor(normalised);
  let anchorId: Uuid;
  if (anchor) {
    anchorId = identities[normalised.indexOf(anchor)]!.identity;
  } else {
    // Nobody to tell apart: the contact belongs to its conversation, findable there, and can be linked later.
    anchorId = ids.identity(tenant, 'conversation', conversation);
    identities.push({ identity: anchorId, type: 'conversation', value: conversation });
  }
  return {
    ...said,
    revision: said.revision ?? 1,
    conversation,
    receivedAt,
    anchor: anchorId,
    identities,
    ...(customer?.name === undefined ? {} : { name: customer.name }),
    digest: ids.digest(fingerprint(inbound)),
  };
};

/** The customer record as it is kept; its own id is the identity of type `profile` that its identifiers are linked to. */
export const profileContentOf = (
  inbound: InboundProfile,
  ids: IdFactory,
  country: string | undefined,
): ProfileImported['data'] => {
  const { tenant, receivedAt: _receivedAt, identifiers, revision: _revision, country: ownCountry, ...said } = inbound;
  const normalised = normaliseAll(identifiers, ownCountry ?? country);
  return {
    ...said,
    profile: ids.identity(tenant, 'profile', `${inbound.source}:${inbound.externalId}`),
    identities: normalised.map((n) => carried(n, ids.identity(tenant, n.type, n.value))),
    digest: ids.digest(JSON.stringify([said, identifiers?.map(identifierFingerprint)], sortedKeys)),
  };
};

const normaliseAll = (
  identifiers: readonly CustomerIdentifier[] | undefined,
  defaultCountry: string | undefined,
): NormalisedIdentifier[] => {
  const distinct = new Map<string, NormalisedIdentifier>();
  for (const identifier of identifiers ?? []) {
    const normalised = normaliseIdentifier(identifier, defaultCountry === undefined ? {} : { defaultCountry });
    if (normalised.value === '') continue; // nothing but white space: there is nothing to show or to find
    const key = `${normalised.type}\u0000${normalised.value}`;
    const known = distinct.get(key);
    if (!known) distinct.set(key, normalised);
    else if (normalised.verified && !known.verified) distinct.set(key, { ...known, verified: true });
  }
  return [...distinct.values()];
};

const carried = (n: NormalisedIdentifier, identity: Uuid): CarriedIdentity => ({
  identity,
  type: n.type,
  value: n.value,
  ...(n.verified ? { verified: true as const } : {}),
  ...(n.usable ? {} : { blocked: true as const }),
});

const identifierFingerprint = (i: CustomerIdentifier): unknown[] => [i.type, i.value, i.verified ?? false];

// Field by field in a fixed order, so that the key order of a body says nothing; our own clock is left out.
const fingerprint = (i: InboundInteraction): string =>
  JSON.stringify([
    i.kind,
    i.threadId,
    i.direction,
    i.occurredAt,
    i.endedAt,
    i.customer?.identifiers?.map(identifierFingerprint),
    i.customer?.name,
    i.agent,
    i.subject,
    i.text,
    i.html,
    i.language,
    i.outcome,
    i.attachments?.map((a) => [a.name, a.contentType, a.bytes, a.url, a.externalId]),
    i.attributes && Object.entries(i.attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);

const sortedKeys = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
