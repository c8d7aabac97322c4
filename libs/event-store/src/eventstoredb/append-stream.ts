import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendResult, EventStoreDBClient } from '@eventstore/db-client';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ExpectedRevision } from '../event-store.port.js';
import { openBatchAppend, type BatchAppendCall } from './connect-client.js';
import type { ConnectionSettings } from './connection-settings.js';
import { describeFailure } from './failures.js';
import type { OutgoingEvent } from './records.js';

/** How long after the end of a call no other is begun: what is appended meanwhile is sent one by one. */
const REST_MS = 1000;

interface Pending {
  resolve: (result: AppendResult) => void;
  reject: (error: unknown) => void;
  timer: NodeJS.Timeout;
}

/**
 * Many appends on one call, each with its own answer: a call for each costs several times what the append does.
 *
 * It says what the server said, and settles nothing itself: an append that was not answered, whose call has ended, or that
 * the server could not decide rejects, and is to be sent again on a call of its own. The way of the client to do this
 * (`appendToStream` without credentials) is not used: its appends have no deadline, and those of all clients of a program
 * fail together.
 */
export class AppendStream {
  private readonly pending = new Map<string, Pending>();
  private call: Promise<BatchAppendCall> | undefined;
  /** Counts calls, so that what an earlier one still says is not taken for news of this one. */
  private generation = 0;
  private restUntil = 0;

  constructor(
    private readonly client: EventStoreDBClient,
    private readonly credentials: ConnectionSettings['credentials'],
  ) {}

  /** Not for a while after a call has ended. */
  get isReady(): boolean {
    return performance.now() >= this.restUntil;
  }

  /**
   * Sends an append behind those before it.
   * @param timeoutMs milliseconds without an answer after which the call is given up, with all that wait on it
   */
  append(
    name: string,
    events: readonly OutgoingEvent[],
    expected: ExpectedRevision,
    timeoutMs: number,
  ): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      const { generation } = this;
      const silent = (): void =>
        this.end(generation, Object.assign(new Error(`no answer in ${timeoutMs} ms`), { type: 'deadline-exceeded' }));
      this.pending.set(id, { resolve, reject, timer: setTimeout(silent, timeoutMs) });
      this.call ??= this.open(generation);
      this.call.then(
        (call) => {
          call.write(requestOf(id, name, events, expected));
        },
        (error: unknown) => this.end(generation, lost(error)),
      );
    });
  }

  /** What was not answered rejects. */
  close(): void {
    this.end(this.generation, Object.assign(new Error('the store is closed'), { type: 'cancelled' }));
  }

  private async open(generation: number): Promise<BatchAppendCall> {
    const call = await openBatchAppend(this.client, this.credentials, (error) => this.end(generation, lost(error)));
    call.onAnswer((reply) => this.answer(reply));
    return call;
  }

  private answer(reply: BatchAppendResp): void {
    const id = reply.getCorrelationId()?.getString() ?? '';
    const waiting = this.pending.get(id);
    if (!waiting) return;
    this.pending.delete(id);
    clearTimeout(waiting.timer);
    const success = reply.getSuccess();
    if (success) waiting.resolve(resultOf(success));
    else waiting.reject(failureOf(reply));
  }

  private end(generation: number, reason: unknown): void {
    if (generation !== this.generation) return;
    this.generation += 1;
    this.restUntil = performance.now() + REST_MS;
    this.call?.then((call) => call.cancel()).catch(() => undefined);
    this.call = undefined;
    for (const { reject, timer } of this.pending.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.pending.clear();
  }
}

/** Why a call ended says nothing of what it carried. */
const lost = (cause: unknown): Error =>
  Object.assign(new Error(`the call ended: ${describeFailure(cause)}`, { cause }), { type: 'unavailable' });

const { BatchAppendReq: Request } = streams;
// The message type of nothing is in a package that is no dependency of ours.
const NOTHING = Request.Options.deserializeBinary(Uint8Array.of(0x1a, 0)).getNoStream()!;

// Without a deadline: the server has its own for a write, and a point in time would have to be the same on both clocks.
const requestOf = (
  id: string,
  name: string,
  events: readonly OutgoingEvent[],
  expected: ExpectedRevision,
): BatchAppendReq => {
  const options = new Request.Options();
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(name)));
  if (expected === 'no_stream') options.setNoStream(NOTHING);
  else options.setStreamPosition(String(expected));
  return new Request()
    .setCorrelationId(new shared.UUID().setString(id))
    .setOptions(options)
    .setProposedMessagesList(events.map(proposed))
    .setIsFinal(true);
};

const proposed = ({ id, type, json, metadata }: OutgoingEvent): BatchAppendReq.ProposedMessage => {
  const message = new Request.ProposedMessage()
    .setId(new shared.UUID().setString(id))
    .setData(Buffer.from(json))
    .setCustomMetadata(Buffer.from(metadata));
  message.getMetadataMap().set('type', type).set('content-type', 'application/json');
  return message;
};

const resultOf = (success: BatchAppendResp.Success): AppendResult => {
  const position = success.getPosition();
  return {
    success: true,
    nextExpectedRevision: BigInt(success.getCurrentRevision()),
    ...(position && {
      position: { commit: BigInt(position.getCommitPosition()), prepare: BigInt(position.getPreparePosition()) },
    }),
  };
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
