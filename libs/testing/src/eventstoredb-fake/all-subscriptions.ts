import { randomUUID } from 'node:crypto';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { invalidPosition } from './faults.js';
import type { FakeLog } from './fake-log.js';
import { caughtUpMessage, checkpointMessage, confirmationMessage, type ReadCall } from './messages.js';
import { eventMessage } from './wire-messages.js';

type ReadStream = ServerWritableStream<ReadReq, ReadResp | Buffer>;

interface Live {
  call: ReadStream;
  wake: () => void;
  stalled: boolean;
}

/** The catch-up subscriptions of one node. */
export class AllSubscriptions {
  /** Where each subscription began. */
  readonly starts: ReadCall['from'][] = [];
  private readonly live = new Set<Live>();

  constructor(private readonly log: FakeLog) {}

  get count(): number {
    return this.live.size;
  }

  open(call: ReadStream, { from, prefixes, checkpointEvery }: ReadCall): void {
    this.starts.push(from);
    let next = startOf(this.log, from);
    if (next === undefined) {
      call.emit('error', invalidPosition());
      return;
    }
    let considered = 0;
    let saidCaughtUp = false;
    let draining = false;
    const pump = (): void => {
      if (draining || subscription.stalled || call.cancelled || call.destroyed) return;
      const end = this.log.visibleLength();
      let room = true;
      while (room && next! < end) {
        const record = this.log.records[next!++]!;
        considered += 1;
        if (!prefixes || prefixes.some((prefix) => record.stream.startsWith(prefix)))
          room = call.write(eventMessage(record));
        if (prefixes && considered % checkpointEvery === 0) room = call.write(checkpointMessage(record.position));
      }
      if (!room) {
        draining = true;
        call.once('drain', () => {
          draining = false;
          pump();
        });
      } else if (!saidCaughtUp) {
        saidCaughtUp = true;
        call.write(caughtUpMessage());
        const last = this.log.records[next! - 1];
        if (prefixes && last) call.write(checkpointMessage(last.position));
      }
    };
    const subscription: Live = { call, wake: pump, stalled: false };
    this.live.add(subscription);
    const unlisten = this.log.onWritten(pump);
    const forget = (): void => {
      unlisten();
      this.live.delete(subscription);
    };
    call.on('cancelled', forget);
    call.on('close', forget);
    call.on('error', forget);
    call.write(confirmationMessage(randomUUID()));
    pump();
  }

  /** They end as if the server had nothing more to say: without an error. */
  end(): void {
    for (const { call } of this.live) call.end();
    this.live.clear();
  }

  /** @param most of them, the oldest first */
  fail(error: Error, most = Infinity): void {
    for (const subscription of [...this.live].slice(0, most)) {
      this.live.delete(subscription);
      subscription.call.emit('error', error);
    }
  }

  /** Those of this moment say nothing any more, and stay open. */
  stall(): void {
    for (const subscription of this.live) subscription.stalled = true;
  }
}

const startOf = (log: FakeLog, from: ReadCall['from']): number | undefined => {
  if (from === 'start') return 0;
  if (from === 'end') return log.visibleLength();
  const index = log.indexAt(from);
  return index === undefined ? undefined : index + 1; // the start of a subscription is exclusive
};
