import {
  status,
  type Metadata,
  type sendUnaryData,
  type ServiceError,
  type ServerReadableStream,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { AppendReq, AppendResp, ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { AllSubscriptions } from './all-subscriptions.js';
import { MAX_APPEND_BYTES, type FakeLog, type FakeRecord } from './fake-log.js';
import {
  accessDenied,
  appendTooLarge,
  busy,
  cancelled,
  invalidPosition,
  streamDeleted,
  timedOut,
  unknown,
  type Faults,
} from './faults.js';
import {
  appendCallOf,
  appended,
  eventMessage,
  readCallOf,
  serviceError,
  streamNotFoundMessage,
  wrongExpectedVersion,
  type ReadCall,
} from './messages.js';

export interface StreamsServiceOptions {
  log: FakeLog;
  faults: Faults;
  subscriptions: AllSubscriptions;
  /** Refuses what asks for the leader at a node that is none. */
  leaderElsewhere: () => Error | undefined;
  /** Called with each append that arrived. */
  onAppend: (stream: string) => void;
}

type Reply = sendUnaryData<AppendResp>;

/** The service `event_store.client.streams.Streams`, as far as sections 2.1 to 2.4 of the semantics tell. */
export const streamsService = (options: StreamsServiceOptions): UntypedServiceImplementation => ({
  append: (call: ServerReadableStream<AppendReq, AppendResp>, reply: Reply) => {
    const messages: AppendReq[] = [];
    call.on('data', (message: AppendReq) => void messages.push(message));
    // A call that breaks off ends too, and is known to be cancelled a moment later: what has arrived is no batch.
    call.on('end', () =>
      setImmediate(() => {
        if (call.cancelled) return;
        try {
          append(options, messages, call.metadata, reply);
        } catch (error) {
          reply(error as ServiceError);
        }
      }),
    );
  },
  read: (call: ServerWritableStream<ReadReq, ReadResp>) => {
    try {
      read(options, call);
    } catch (error) {
      call.emit('error', error);
    }
  },
  // A client that passes credentials never calls it; one that does must see that it has.
  batchAppend: (call: { emit(event: 'error', error: Error): void }) =>
    call.emit('error', serviceError(status.UNIMPLEMENTED, 'the fake has no batch appends')),
});

const append = (
  { log, faults, leaderElsewhere, onAppend }: StreamsServiceOptions,
  messages: readonly AppendReq[],
  metadata: Metadata,
  reply: Reply,
): void => {
  const { stream, expected, events } = appendCallOf(messages);
  onAppend(stream);
  const elsewhere = metadata.get('requires-leader').includes('true') ? leaderElsewhere() : undefined;
  if (elsewhere) throw elsewhere;
  const fault = faults.nextAppend();
  if (fault === 'busy') throw busy();
  if (fault === 'cancelled') throw cancelled();
  if (fault === 'unknown') throw unknown();
  if (fault === 'access denied') throw accessDenied();
  if (fault === 'lost request') return;
  const decided = log.append(stream, events, expected);
  if (fault === 'lost reply') return;
  if (fault === 'timeout after writing') throw timedOut();
  const answer = (): void => {
    switch (decided.decision) {
      case 'written':
      case 'repeated':
        if (log.isReplicated(decided.last)) reply(null, appended(decided.last, fault !== 'no position'));
        return;
      case 'wrong expected version':
        return reply(null, wrongExpectedVersion(expected, decided.current));
      case 'deleted':
        return reply(streamDeleted(stream));
      case 'too large':
        return reply(appendTooLarge(MAX_APPEND_BYTES));
    }
  };
  if (typeof fault === 'object') setTimeout(answer, fault.slowMs);
  else answer();
};

const read = (options: StreamsServiceOptions, call: ServerWritableStream<ReadReq, ReadResp>): void => {
  const wanted = readCallOf(call.request);
  if (wanted.subscription) return options.subscriptions.open(call, wanted);
  const fault = options.faults.nextRead();
  if (fault === 'busy') throw busy();
  if (fault === 'silent') return;
  const records = wanted.stream === undefined ? fromAll(options.log, wanted) : fromStream(options.log, wanted);
  if (!records) {
    call.write(streamNotFoundMessage(wanted.stream!));
    return void call.end();
  }
  const half = Math.ceil(records.length / 2);
  for (const record of fault ? records.slice(0, half) : records) call.write(eventMessage(record));
  if (fault) call.emit('error', cancelled());
  else call.end();
};

/** Inclusive in both directions. */
const fromAll = (log: FakeLog, { from, backwards, count }: ReadCall): readonly FakeRecord[] => {
  const end = log.visibleLength();
  const index = from === 'start' ? 0 : from === 'end' ? end : log.indexAt(from);
  if (index === undefined) throw invalidPosition();
  return pageOf(log.records, end, index, backwards, Number(count));
};

const fromStream = (log: FakeLog, { stream, from, backwards, count }: ReadCall): readonly FakeRecord[] | undefined => {
  if (log.isTombstoned(stream!)) throw streamDeleted(stream!);
  const events = log.stream(stream!);
  if (!events) return undefined;
  const index = from === 'start' ? 0 : from === 'end' ? events.length : Number(from);
  return pageOf(events, events.length, index, backwards, Number(count));
};

const pageOf = (
  records: readonly FakeRecord[],
  length: number,
  index: number,
  backwards: boolean,
  count: number,
): readonly FakeRecord[] => {
  if (!backwards) return records.slice(index, Math.min(length, index + count));
  const end = Math.min(index + 1, length);
  return records.slice(Math.max(0, end - count), end).toReversed();
};
