import type { AllStreamRecordedEvent, JSONEventData, Position as LogPosition } from '@eventstore/db-client';
import { HubError, isUuid } from '#libs/kernel';
import type { CopiedEvent } from '../event-log.port.js';
import type { Position, StoredEvent, StreamId } from '../event-store.port.js';
import { STREAM_CATEGORIES } from '../new-events.js';

/** Stored beside the data of an event: for ever. */
interface RecordMetadata {
  schema: number;
  tenant: string;
  /** Epoch milliseconds: when another store recorded it first, before it was copied here. */
  recordedAtMs?: number | undefined;
  /** The recorded trace that led to it. */
  traceparent?: string | undefined;
}

/** A stream of ours that is no part of the log: what is kept beside it, found by its name. */
export type SideStreamId = `beside_${string}-${string}`;

/** An event as it is sent: the same however often. */
export interface OutgoingEvent {
  id: string;
  type: string;
  /** JSON of its data. */
  json: string;
  /** JSON of what is stored beside it. */
  metadata: string;
}

/** An event as one adapter hands it on; the data as the client parsed it. */
export type RecordedEvent = Pick<AllStreamRecordedEvent, 'streamId' | 'id' | 'revision' | 'type' | 'created'> & {
  data: unknown;
  metadata?: unknown;
  isJson: boolean;
  position?: LogPosition | undefined;
};

/** Stream names of a hub: `{namespace}_{category}-{uuid}`; without a namespace those of the port. */
export class StreamNames {
  /** What all of them begin with, and little else. */
  readonly prefixes: string[];

  constructor(private readonly prefix: string) {
    this.prefixes = STREAM_CATEGORIES.map((category) => `${prefix}${category}-`);
  }

  nameOf(stream: StreamId | SideStreamId): string {
    return this.prefix + stream;
  }

  /** @returns undefined for a stream of somebody else */
  streamOf(name: string): StreamId | undefined {
    if (!this.prefixes.some((prefix) => name.startsWith(prefix))) return undefined;
    const stream = name.slice(this.prefix.length);
    return isUuid(stream.slice(stream.indexOf('-') + 1)) ? (stream as StreamId) : undefined;
  }
}

/** The commit position as a number: exact up to 8 PiB of log. */
export const positionOf = (commit: bigint | number): Position => {
  const position = Number(commit);
  if (!Number.isSafeInteger(position))
    throw new HubError('EVENT_STORE.FAILED', `log position ${commit} is too large to be kept exactly`);
  return position;
};

/** Where an event of ours is. They are written without explicit transactions, so both halves are equal. */
export const logPositionOf = (position: Position): LogPosition => ({
  commit: BigInt(position),
  prepare: BigInt(position),
});

/** Taken at once: later changes to the objects of the event change nothing. */
export const outgoingOf = (event: CopiedEvent): OutgoingEvent => {
  // Field by field: what `JSON.stringify` meets undefined it leaves out.
  const { schema, tenant, recordedAtMs, traceparent } = event;
  const metadata: RecordMetadata = { schema, tenant, recordedAtMs, traceparent };
  return {
    id: event.id,
    type: event.type,
    json: event.json ?? JSON.stringify(event.data),
    metadata: JSON.stringify(metadata),
  };
};

/** The same as the client takes it. */
export const eventData = ({ id, type, json, metadata }: OutgoingEvent): JSONEventData => ({
  id,
  contentType: 'application/json',
  type,
  data: JSON.parse(json) as Record<string, unknown>,
  metadata: JSON.parse(metadata) as Record<string, unknown>,
});

/** @throws HubError `EVENT_STORE.FAILED` where the server gives none */
export const positionIn = (stream: string, { position, revision }: RecordedEvent): Position => {
  if (!position) throw unreadable(stream, revision, 'the server gives no position; it needs version 22.6 or later');
  if (position.commit !== position.prepare)
    throw unreadable(stream, revision, 'was written in a transaction, which no hub does');
  return positionOf(position.commit);
};

const unreadable = (stream: string, revision: bigint, problem: string): HubError =>
  new HubError('EVENT_STORE.FAILED', `${stream}@${revision}: ${problem}`, { facts: { stream } });

/** @throws HubError `EVENT_STORE.FAILED` when something else than a hub wrote into the stream */
export const storedEvent = (stream: StreamId, event: RecordedEvent): StoredEvent => {
  const { revision, id, type, data, created } = event;
  const position = positionIn(stream, event);
  const metadata = event.metadata as Partial<RecordMetadata> | undefined;
  if (!event.isJson || typeof data !== 'object' || data === null)
    throw unreadable(stream, revision, 'its data is no JSON object');
  const { schema, tenant, recordedAtMs, traceparent } = metadata ?? {};
  if (!Number.isSafeInteger(schema) || typeof tenant !== 'string')
    throw unreadable(stream, revision, 'its metadata lacks schema and tenant');
  return {
    position,
    stream,
    revision: Number(revision),
    id,
    type,
    schema: schema!,
    tenant,
    recordedAtMs: recordedAtMs ?? created.getTime(),
    data,
    ...(typeof traceparent === 'string' && { traceparent }),
  };
};
