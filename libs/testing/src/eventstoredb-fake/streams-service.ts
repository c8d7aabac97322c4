import {
  status,
  type Metadata,
  type sendUnaryData,
  type ServiceError,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendResp,
  ReadReq,
  ReadResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { AllSubscriptions } from './all-subscriptions.js';
import { MAX_APPEND_BYTES, type FakeDecision, type FakeLog, type FakeRecord } from './fake-log.js';
import {
  accessDenied,
  appendTooLarge,
  busy,
  cancelled,
  invalidPosition,
  streamDeleted,
  timedOut,
  unknown,
  type AppendFault,
  type Faults,
} from './faults.js';
import {
  appendCallOf,
  appended,
  batchRefused,
  readCallOf,
  serviceError,
  streamNotFoundMessage,
  wrongExpectedVersion,
  wrongExpectedVersionDetails,
  type ReadCall,
} from './messages.js';
import { batchAppended, eventMessage, type AppendCall, type BatchedAppend } from './wire-messages.js';

export interface StreamsServiceOptions {
  log: FakeLog;
  faults: Faults;
  subscriptions: AllSubscriptions;
  /** Refuses what asks for the leader at a node that is none. */
  leaderElsewhere: () => Error | undefined;
  /** Called with each append that arrived. */
  onAppend: (stream: string) => void;
  /** Called with each call that is to carry many. @returns whether it is taken */
  onBatch: () => boolean;
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
  read: (call: ServerWritableStream<ReadReq, ReadResp | Buffer>) => {
    try {
      read(options, call);
    } catch (error) {
      call.emit('error', error);
    }
  },
  batchAppend: (call: Batches) => {
    if (!options.onBatch()) {
      call.emit('error', serviceError(status.UNIMPLEMENTED, 'no batch appends'));
      return;
    }
    call.on('data', (append: BatchedAppend) => {
      try {
        batchAppend(options, append, call);
      } catch (error) {
        call.emit('error', error);
      }
    });
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  },
});

type Batches = ServerDuplexStream<BatchedAppend, BatchAppendResp | Buffer>;

/** What becomes of an append, on whatever call it came. */
interface Taken {
  /** Absent where nothing was decided, or nobody shall hear of it. */
  decided?: FakeDecision;
  fault: AppendFault | undefined;
}

const take = (
  { log, faults, leaderElsewhere, onAppend }: StreamsServiceOptions,
  { stream, expected, events }: AppendCall,
  metadata: Metadata,
): Taken => {
  onAppend(stream);
  const elsewhere = metadata.get('requires-leader').includes('true') ? leaderElsewhere() : undefined;
  if (elsewhere) throw elsewhere;
  const fault = faults.nextAppend();
  if (fault !== undefined && UNWRITTEN.has(fault)) return { fault };
  const decided = log.append(stream, events, expected);
  return fault === 'lost reply' || fault === 'timeout after writing' ? { fault } : { fault, decided };
};

const UNWRITTEN: ReadonlySet<AppendFault> = new Set(['busy', 'cancelled', 'unknown', 'access denied', 'lost request']);

/** Answers at once, or late where that is the fault. */
const inTime = (fault: AppendFault | undefined, answer: () => void): void => {
  if (typeof fault === 'object') setTimeout(answer, fault.slowMs);
  else answer();
};

const append = (
  options: StreamsServiceOptions,
  messages: readonly AppendReq[],
  metadata: Metadata,
  reply: Reply,
): void => {
  const call = appendCallOf(messages);
  const { decided, fault } = take(options, call, metadata);
  if (fault === 'busy') throw busy();
  if (fault === 'cancelled') throw cancelled();
  if (fault === 'unknown') throw unknown();
  if (fault === 'access denied') throw accessDenied();
  if (fault === 'timeout after writing') throw timedOut();
  if (!decided) return;
  inTime(fault, () => {
    switch (decided.decision) {
      case 'written':
      case 'repeated':
        if (options.log.isReplicated(decided.last)) reply(null, appended(decided.last, fault !== 'no position'));
        return;
      case 'wrong expected version':
        return reply(null, wrongExpectedVersion(call.expected, decided.current));
      case 'deleted':
        return reply(streamDeleted(call.stream));
      case 'too large':
        return reply(appendTooLarge(MAX_APPEND_BYTES));
    }
  });
};

/** As a server does it: each append is answered by itself, and a node that does not lead ends the call with all of them. */
const batchAppend = (options: StreamsServiceOptions, append: BatchedAppend, call: Batches): void => {
  if (append.problem !== undefined) throw serviceError(status.UNIMPLEMENTED, append.problem);
  const { decided, fault } = take(options, append, call.metadata);
  const refuse = (text: string, name?: string): void =>
    void call.write(batchRefused(append, text, name === undefined ? undefined : [name, new Uint8Array()]));
  if (fault === 'busy') return refuse('Server Is Busy');
  if (fault === 'cancelled') throw cancelled();
  if (fault === 'unknown') return refuse('Unknown', 'event_store.client.Unknown');
  if (fault === 'access denied') return refuse('Access Denied', 'event_store.client.AccessDenied');
  if (fault === 'timeout after writing') return refuse('Timeout', 'event_store.client.Timeout');
  if (!decided) return;
  inTime(fault, () => {
    if (call.cancelled || call.destroyed) return;
    switch (decided.decision) {
      case 'written':
      case 'repeated':
        if (options.log.isReplicated(decided.last))
          call.write(batchAppended(append, decided.last, fault !== 'no position'));
        return;
      case 'wrong expected version':
        call.write(batchRefused(append, 'Wrong Expected Version', wrongExpectedVersionDetails(decided.current)));
        return;
      case 'deleted':
        return refuse('Stream Deleted', 'event_store.client.StreamDeleted');
      case 'too large':
        return refuse('Maximum Append Size Exceeded', 'event_store.client.MaximumAppendSizeExceeded');
    }
  });
};

const read = (options: StreamsServiceOptions, call: ServerWritableStream<ReadReq, ReadResp | Buffer>): void => {
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
