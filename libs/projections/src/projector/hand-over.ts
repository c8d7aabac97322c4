import { SCHEMAS, type ContactSummary } from '#libs/domain';
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
  tenant: string, recordedAtMs: number, data: object, traceparent?: string,
]; // prettier-ignore

const packed = (event: StoredEvent): Packed => {
  const { position, stream, revision, id, type, schema, tenant, recordedAtMs, data, traceparent } = event;
  const isContact = type === 'InteractionRecorded' || type === 'InteractionCorrected';
  // What an older shape is made today's from is not known here.
  const kept = isContact && schema === SCHEMAS[type] ? summaryOf(data as ContactSummary) : data;
  const pack: Packed = [position, stream, revision, id, type, schema, tenant, recordedAtMs, kept];
  if (traceparent !== undefined) pack.push(traceparent);
  return pack;
};

const unpacked = ([
  position, stream, revision, id, type, schema, tenant, recordedAtMs, data, traceparent,
]: Packed): StoredEvent => {
  const event: StoredEvent = { position, stream, revision, id, type, schema, tenant, recordedAtMs, data };
  if (traceparent !== undefined) event.traceparent = traceparent;
  return event;
}; // prettier-ignore

const summaryOf = (content: ContactSummary): ContactSummary => ({
  channel: content.channel,
  account: content.account,
  revision: content.revision,
  kind: content.kind,
  conversation: content.conversation,
  direction: content.direction,
  occurredAt: content.occurredAt,
  endedAt: content.endedAt,
  receivedAt: content.receivedAt,
  anchor: content.anchor,
  identities: content.identities,
  name: content.name,
  agent: content.agent,
  subject: content.subject,
  text: content.text?.slice(0, PREVIEWED_CHARS),
  outcome: content.outcome,
  erased: content.erased,
});
