import { SCHEMAS, type CarriedIdentity, type ContactSummary } from '#libs/domain';
import type { Position, StoredEvent } from '#libs/event-store';
import { PREVIEWED_CHARS } from '../timeline/timeline.projection.js';

/** Committed events on their way to a projector in another thread, so that it need not read them from the log again. */
export interface HandOver {
  /** The first event follows this position without a gap. */
  after: Position;
  /** Position of the last event. */
  through: Position;
  /** `packEvents` of each commit: texts cross a thread at the price of a copy. */
  packs: readonly string[];
}

/** The events of one commit as a text, contacts with only what projections read of them. */
export const packEvents = (events: readonly StoredEvent[]): string => JSON.stringify(events.map(packed));

export const unpackEvents = (pack: string): StoredEvent[] => (JSON.parse(pack) as Packed[]).map(unpacked);

type Packed = [
  position: Position, stream: StoredEvent['stream'], revision: number, id: string, type: string, schema: number,
  tenant: string, recordedAtMs: number, data: object | PackedContact, traceparent?: string,
]; // prettier-ignore

// Lists: names would be a third of the text, and what always has the same properties is read faster.
type PackedContact = [
  channel: ContactSummary['channel'], account: string, revision: number, kind: ContactSummary['kind'],
  conversation: string, direction: ContactSummary['direction'], occurredAt: string, receivedAt: string, anchor: string,
  identities: PackedIdentity[], endedAt: Missing<string>, name: Missing<string>, agent: Missing<string>,
  subject: Missing<string>, text: Missing<string>, outcome: Missing<string>, erased: Missing<true>,
]; // prettier-ignore

type PackedIdentity = [
  identity: string, type: string, value: string, verified: Missing<true>, blocked: Missing<true>,
]; // prettier-ignore

/** In a text what is undefined reads null. */
type Missing<Value> = Value | null | undefined;

const packed = (event: StoredEvent): Packed => {
  const { position, stream, revision, id, type, schema, tenant, recordedAtMs, data, traceparent } = event;
  const isContact = type === 'InteractionRecorded' || type === 'InteractionCorrected';
  // What an older shape is made today's from is not known here.
  const kept = isContact && schema === SCHEMAS[type] ? packedContact(data as ContactSummary) : data;
  const pack: Packed = [position, stream, revision, id, type, schema, tenant, recordedAtMs, kept];
  if (traceparent !== undefined) pack.push(traceparent);
  return pack;
};

const unpacked = ([
  position, stream, revision, id, type, schema, tenant, recordedAtMs, kept, traceparent,
]: Packed): StoredEvent => {
  const data = Array.isArray(kept) ? unpackedContact(kept as PackedContact) : kept;
  const event: StoredEvent = { position, stream, revision, id, type, schema, tenant, recordedAtMs, data };
  if (traceparent !== undefined) event.traceparent = traceparent;
  return event;
}; // prettier-ignore

const packedContact = (content: ContactSummary): PackedContact => [
  content.channel,
  content.account,
  content.revision,
  content.kind,
  content.conversation,
  content.direction,
  content.occurredAt,
  content.receivedAt,
  content.anchor,
  content.identities.map(({ identity, type, value, verified, blocked }) => [identity, type, value, verified, blocked]),
  content.endedAt,
  content.name,
  content.agent,
  content.subject,
  content.text?.slice(0, PREVIEWED_CHARS),
  content.outcome,
  content.erased,
];

const unpackedContact = ([
  channel, account, revision, kind, conversation, direction, occurredAt, receivedAt, anchor, identities, endedAt, name,
  agent, subject, text, outcome, erased,
]: PackedContact): ContactSummary => ({
  channel,
  account,
  revision,
  kind,
  conversation,
  direction,
  occurredAt,
  receivedAt,
  anchor,
  identities: identities.map(unpackedIdentity),
  endedAt: endedAt ?? undefined,
  name: name ?? undefined,
  agent: agent ?? undefined,
  subject: subject ?? undefined,
  text: text ?? undefined,
  outcome: outcome ?? undefined,
  erased: erased ?? undefined,
}); // prettier-ignore

const unpackedIdentity = ([identity, type, value, verified, blocked]: PackedIdentity): CarriedIdentity => ({
  identity,
  type,
  value,
  verified: verified ?? undefined,
  blocked: blocked ?? undefined,
});
