import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { uuidOfBytes } from '#libs/kernel';
import type { ExpectedRevision } from '../event-store.port.js';
import type { OutgoingEvent } from './records.js';
import { decoderOf, encoderOf, type BatchAppendAnswer, type UuidMessage } from './streams-messages.js';

/** What a server says of an append that it has stored, now or before. */
export interface Appended {
  /** Of the last event. */
  revision: number;
  /** Commit position of the last event, exact below 2^53; servers need not tell. */
  commit: number | undefined;
}

/** One answer on a `BatchAppend` call, by the id that its append was sent under. */
export type AppendAnswer = { id: string } & ({ appended: Appended } | { failure: Error });

const encode = encoderOf('BatchAppendReq');
const decode = decoderOf<BatchAppendAnswer>('BatchAppendResp');

/**
 * An append as `BatchAppendReq`. Without a deadline: the server has its own for a write, and a point in time would have to
 * be the same on both clocks.
 */
export const appendRequest = (
  id: string,
  name: string,
  events: readonly OutgoingEvent[],
  expected: ExpectedRevision,
): Buffer => {
  const streamIdentifier = { streamName: name };
  return encode({
    correlationId: { string: id },
    options:
      expected === 'no_stream' ? { streamIdentifier, noStream: {} } : { streamIdentifier, streamPosition: expected },
    proposedMessages: events.map((event) => ({
      id: { string: event.id },
      metadata: { type: event.type, 'content-type': 'application/json' },
      customMetadata: Buffer.from(event.metadata),
      data: Buffer.from(event.json),
    })),
    isFinal: true,
  });
};

/** What a `BatchAppendResp` says; a refusal is read by the classes of the client. */
export const readAnswer = (bytes: Buffer): AppendAnswer => {
  const { correlationId, success } = decode(bytes);
  const id = uuidOf(correlationId);
  if (!success) return { id, failure: failureOf(streams.BatchAppendResp.deserializeBinary(bytes)) };
  const { currentRevision, position } = success;
  return { id, appended: { revision: currentRevision.toNumber(), commit: position?.commitPosition.toNumber() } };
};

/** Servers may answer in either form. */
const uuidOf = (uuid: UuidMessage | null): string => {
  if (!uuid?.structured) return uuid?.string ?? '';
  const { structured } = uuid;
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64BE(BigInt(structured.mostSignificantBits.toString()), 0);
  bytes.writeBigInt64BE(BigInt(structured.leastSignificantBits.toString()), 8);
  return uuidOfBytes(bytes);
};

/** Types of the client's errors, by the details of a server's refusal; whatever else it says leaves the outcome open. */
const TYPES: Readonly<Record<string, string>> = {
  'event_store.client.WrongExpectedVersion': 'wrong-expected-version',
  'event_store.client.StreamDeleted': 'stream-deleted',
  'event_store.client.AccessDenied': 'access-denied',
  'event_store.client.MaximumAppendSizeExceeded': 'maximum-append-size-exceeded',
  'event_store.client.Timeout': 'timeout',
};

const failureOf = (reply: BatchAppendResp): Error => {
  const status = reply.getError();
  const details = status?.getDetails();
  const name = details?.getTypeName() ?? '';
  const type = TYPES[name] ?? 'unknown';
  const error = Object.assign(new Error(status?.getMessage() ?? ''), { type });
  if (type !== 'wrong-expected-version') return error;
  const conflict = details!.unpack((bytes) => shared.WrongExpectedVersion.deserializeBinary(bytes), name)!;
  const actualVersion = conflict.hasCurrentStreamRevision() ? BigInt(conflict.getCurrentStreamRevision()) : 'no_stream';
  return Object.assign(error, { actualVersion });
};
