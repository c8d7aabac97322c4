import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import rpc from '@eventstore/db-client/generated/status_pb.js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendResp,
  ReadReq,
  ReadResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { FakeEvent, FakeExpectation, FakeRecord } from './fake-log.js';
import type { AppendCall, BatchedAppend } from './wire-messages.js';

const textOf = (bytes: Uint8Array | string): string => Buffer.from(bytes as Uint8Array).toString('utf8');

/** The options message and the proposed messages of one unary append. */
export const appendCallOf = (messages: readonly AppendReq[]): AppendCall => {
  const options = messages[0]?.getOptions();
  if (!options) throw serviceError(status.INVALID_ARGUMENT, 'an append begins with its options');
  if (options.hasAny() || options.hasStreamExists())
    throw serviceError(status.UNIMPLEMENTED, 'the fake takes no_stream and exact revisions only');
  return {
    stream: textOf(options.getStreamIdentifier()!.getStreamName()),
    expected: options.hasNoStream() ? 'no_stream' : BigInt(options.getRevision()),
    events: messages.slice(1).map((message) => eventOf(message.getProposedMessage()!)),
  };
};

const eventOf = (proposed: AppendReq.ProposedMessage): FakeEvent => ({
  id: proposed.getId()!.getString(),
  type: proposed.getMetadataMap().get('type')!,
  contentType: proposed.getMetadataMap().get('content-type')!,
  metadata: proposed.getCustomMetadata_asU8(),
  data: proposed.getData_asU8(),
});

export const appended = ({ revision, position }: FakeRecord, tellsPosition = true): AppendResp => {
  const success = new streams.AppendResp.Success();
  success.setCurrentRevision(String(revision));
  if (!tellsPosition) return new streams.AppendResp().setSuccess(success.setNoPosition(new shared.Empty()));
  const at = new streams.AppendResp.Position();
  at.setCommitPosition(String(position));
  at.setPreparePosition(String(position));
  success.setPosition(at);
  return new streams.AppendResp().setSuccess(success);
};

export const wrongExpectedVersion = (expected: FakeExpectation, current: bigint | undefined): AppendResp => {
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  if (current === undefined) wrong.setCurrentNoStream(new shared.Empty());
  else wrong.setCurrentRevision(String(current));
  if (expected === 'no_stream') wrong.setExpectedNoStream(new shared.Empty());
  else wrong.setExpectedRevision(String(expected));
  return new streams.AppendResp().setWrongExpectedVersion(wrong);
};

/** @param details name of the message that says more, and the message; a server packs nothing where it knows no more */
export const batchRefused = (
  { id, stream }: Pick<BatchedAppend, 'id' | 'stream'>,
  message: string,
  [name, details]: readonly [string, Uint8Array] = ['google.protobuf.Empty', new Uint8Array()],
): BatchAppendResp => {
  const any = [field(1, Buffer.from(`type.googleapis.com/${name}`)), field(2, details)];
  const bytes = Buffer.concat([field(2, Buffer.from(message)), field(3, Buffer.concat(any))]);
  return new streams.BatchAppendResp()
    .setCorrelationId(new shared.UUID().setString(id))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)))
    .setError(rpc.Status.deserializeBinary(bytes));
};

export const wrongExpectedVersionDetails = (current: bigint | undefined): readonly [string, Uint8Array] => {
  const wrong = new shared.WrongExpectedVersion();
  if (current !== undefined) wrong.setCurrentStreamRevision(String(current));
  return ['event_store.client.WrongExpectedVersion', wrong.serializeBinary()];
};

/** A field of bytes as it lies in a message. */
const field = (number: number, bytes: Uint8Array): Buffer => {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), bytes]);
};

/** What a read asks for, in plain words. */
export interface ReadCall {
  /** Absent: `$all`. */
  stream?: string;
  /** Revision or commit position. */
  from: 'start' | 'end' | bigint;
  backwards: boolean;
  count: bigint;
  subscription: boolean;
  /** Prefixes of stream names; absent: no filter. */
  prefixes?: string[];
  /** Considered events between two checkpoints. */
  checkpointEvery: number;
}

export const readCallOf = (request: ReadReq): ReadCall => {
  const options = request.getOptions()!;
  const call = {
    backwards: options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS,
    count: options.hasCount() ? BigInt(options.getCount()) : 0n,
    subscription: options.hasSubscription(),
  };
  const stream = options.getStream();
  if (stream) {
    const from = stream.hasStart() ? 'start' : stream.hasEnd() ? 'end' : BigInt(stream.getRevision());
    return { ...call, stream: textOf(stream.getStreamIdentifier()!.getStreamName()), from, checkpointEvery: 0 };
  }
  const all = options.getAll()!;
  const from = all.hasStart() ? 'start' : all.hasEnd() ? 'end' : BigInt(all.getPosition()!.getCommitPosition());
  const filter = options.getFilter();
  const names = filter?.getStreamIdentifier();
  if (filter && (!names || names.getRegex() !== ''))
    throw serviceError(status.UNIMPLEMENTED, 'the fake filters by prefixes of stream names only');
  return {
    ...call,
    from,
    ...(names && { prefixes: names.getPrefixList() }),
    checkpointEvery: (filter?.getCheckpointintervalmultiplier() ?? 0) * 32,
  };
};

export const checkpointMessage = (position: bigint): ReadResp => {
  const checkpoint = new streams.ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(position));
  checkpoint.setPreparePosition(String(position));
  return new streams.ReadResp().setCheckpoint(checkpoint);
};

export const confirmationMessage = (id: string): ReadResp =>
  new streams.ReadResp().setConfirmation(new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(id));

export const caughtUpMessage = (): ReadResp => new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp());

export const streamNotFoundMessage = (stream: string): ReadResp =>
  new streams.ReadResp().setStreamNotFound(
    new streams.ReadResp.StreamNotFound().setStreamIdentifier(
      new shared.StreamIdentifier().setStreamName(Buffer.from(stream)),
    ),
  );

/** A refusal as the server gives it; `trailers` carry what the client reads into an error's type. */
export const serviceError = (code: number, details: string, trailers: Record<string, string> = {}): ServiceError => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
};
