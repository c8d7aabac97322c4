import {
  decoderOf,
  encoderOf,
  type BatchAppendRequest,
  type UuidMessage,
} from '#libs/event-store/eventstoredb/streams-messages.js';
import type { FakeEvent, FakeExpectation, FakeRecord } from './fake-log.js';

// What a line under load says for every event: the generated classes would be most of what the fake costs.

/** An append as it arrives. */
export interface AppendCall {
  stream: string;
  expected: FakeExpectation;
  events: FakeEvent[];
}

/** One of a call that carries many. */
export interface BatchedAppend extends AppendCall {
  /** Its answer is known by. */
  id: string;
  /** Why the fake cannot take it. */
  problem?: string;
}

const decodeRequest = decoderOf<BatchAppendRequest>('BatchAppendReq');
const encodeAnswer = encoderOf('BatchAppendResp');
const encodeRead = encoderOf('ReadResp');

/** Reads a `BatchAppendReq`; clients send each append in one piece. */
export const readBatchAppend = (bytes: Buffer): BatchedAppend => {
  const { correlationId, options, proposedMessages, isFinal } = decodeRequest(bytes);
  const append: BatchedAppend = {
    id: textOf(correlationId),
    stream: options?.streamIdentifier?.streamName ?? '',
    expected: options?.noStream ? 'no_stream' : BigInt(options?.streamPosition.toString() ?? 0),
    events: proposedMessages.map(({ id, metadata, customMetadata, data }) => ({
      id: textOf(id),
      type: metadata['type'] ?? '',
      contentType: metadata['content-type'] ?? '',
      metadata: customMetadata,
      data,
    })),
  };
  if (options?.any || options?.streamExists || options?.deadline || options?.deadlineInstant)
    append.problem = 'the fake takes no_stream and exact revisions only, and no deadline';
  else if (!isFinal || append.stream === '') append.problem = 'the fake takes appends in one piece only';
  return append;
};

const textOf = (id: UuidMessage | null): string => {
  if (!id || id.structured) throw new RangeError('the fake takes ids as texts only');
  return id.string;
};

/** `BatchAppendResp` of what is stored. */
export const batchAppended = (
  { id, stream }: Pick<BatchedAppend, 'id' | 'stream'>,
  { revision, position }: FakeRecord,
  tellsPosition = true,
): Buffer => {
  const commitPosition = Number(position);
  return encodeAnswer({
    correlationId: { string: id },
    success: {
      currentRevision: Number(revision),
      ...(tellsPosition && { position: { commitPosition, preparePosition: commitPosition } }),
    },
    streamIdentifier: { streamName: stream },
  });
};

/** `ReadResp` with an event. */
export const eventMessage = (record: FakeRecord): Buffer => {
  const commitPosition = Number(record.position);
  return encodeRead({
    event: {
      event: {
        id: { string: record.id },
        streamIdentifier: { streamName: record.stream },
        streamRevision: Number(record.revision),
        preparePosition: commitPosition,
        commitPosition,
        metadata: {
          type: record.type,
          'content-type': record.contentType,
          created: String(record.createdTicks),
        },
        customMetadata: record.metadata,
        data: record.data,
      },
      commitPosition,
    },
  });
};
