import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { AllStreamResolvedEvent, AllStreamSubscription, Position as LogPosition } from '@eventstore/db-client';
import { HubError } from '#libs/kernel';
import type { Position, StoredEvent, StreamId, Subscription } from '../event-store.port.js';
import { backoffMs, type Backoff } from './backoff.js';
import { failureKindOf, refusedFor } from './failures.js';
import { logPositionOf, positionOf, storedEvent } from './records.js';

/** What a subscription needs of its store. */
export interface SubscriptionSource {
  /** A catch-up subscription to our part of `$all`, after a position. */
  open(
    fromPosition: 'start' | LogPosition,
    checkpointReached: (subscription: unknown, position: LogPosition) => void,
  ): AllStreamSubscription;
  streamOf(name: string): StreamId | undefined;
  head(): Promise<Position>;
  /** Told of what was handled: all of our events after a position. */
  followed(after: Position, events: readonly StoredEvent[]): void;
}

export interface SubscriptionTiming {
  /** Silence in milliseconds after which the log is asked whether it moved. */
  watchdogMs: number;
  backoff: Backoff;
  /** Told of every drop: why, and how many followed one another without an event between them. */
  onDropped?: (reason: unknown, drops: number) => void;
}

/** Events a handler gets at once, and events that wait for it in the client. */
export const MOST_A_BATCH = 500;
/** A checkpoint is taken over in a later macrotask, never in its callback. */
const CHECKPOINT_EVERY_MS = 250;

/** The handler failed: nobody resubscribes after that. */
class HandlerFailure {
  constructor(readonly reason: unknown) {}
}

/**
 * Follows our events in `$all` from its own position. Whatever ends it but our own stop is a drop: it subscribes again
 * from the last handled event (or a checkpoint behind which nothing waits), with growing waits.
 */
export class AllSubscription implements Subscription {
  readonly done: Promise<void>;
  private readonly stopping = new AbortController();
  private position: 'start' | LogPosition;
  /** Of our events; `position` may be a checkpoint behind it. */
  private handledUpTo: Position;
  private drops = 0;
  private wake = (): void => undefined;

  constructor(
    private readonly source: SubscriptionSource,
    after: Position,
    private readonly handle: (events: StoredEvent[]) => Promise<void>,
    private readonly timing: SubscriptionTiming,
  ) {
    this.handledUpTo = after;
    this.position = after === 0 ? 'start' : logPositionOf(after);
    this.done = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.done.catch(() => undefined); // the failure belongs to whoever awaits `done`
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    await nextTurn(); // nothing is handled within the call that subscribes
    while (!this.stopped) {
      let reason: unknown = new Error('the server ended the subscription');
      try {
        await this.follow();
      } catch (error) {
        if (error instanceof HandlerFailure) throw error.reason;
        if (error instanceof HubError ? !error.retryable : failureKindOf(error) === 'final')
          throw error instanceof HubError ? error : refusedFor('the subscription', error);
        reason = error;
      }
      if (this.stopped) return;
      this.drops += 1;
      this.timing.onDropped?.(reason, this.drops);
      const waitMs = backoffMs(this.timing.backoff, this.drops);
      await delay(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** One subscription to its end. */
  private async follow(): Promise<void> {
    let hint: LogPosition | undefined;
    let busy = false;
    let ended = false;
    let failure: { reason: unknown } | undefined;
    let lastSign = Date.now();
    const stream = this.source.open(this.position, (_, position) => {
      hint = position;
      lastSign = Date.now();
    });
    const drop = (reason: unknown): void => {
      failure ??= { reason };
      this.wake();
    };
    stream.on('readable', () => this.wake());
    stream.on('end', () => {
      ended = true;
      this.wake();
    });
    stream.on('error', drop);

    const adoptCheckpoint = (): void => {
      // Reached in the client, which says nothing of events that still wait in its buffer or with the handler.
      if (!hint || busy || stream.readableLength > 0) return;
      if (this.position === 'start' || hint.commit > this.position.commit) this.position = hint;
    };
    const look = async (): Promise<void> => {
      const silentSince = lastSign;
      if (busy || Date.now() - silentSince < this.timing.watchdogMs) return;
      const head = await this.source.head();
      const seen = this.position === 'start' ? 0 : positionOf(this.position.commit);
      if (head > seen && !busy && lastSign === silentSince && stream.readableLength === 0)
        drop(new Error(`silent at ${seen} for ${this.timing.watchdogMs} ms, while the log went on to ${head}`));
    };
    const checkpoints = setInterval(adoptCheckpoint, CHECKPOINT_EVERY_MS);
    const watchdog = setInterval(() => void look().catch(drop), Math.max(1, this.timing.watchdogMs / 3));
    try {
      while (!this.stopped) {
        const woken = new Promise<void>((resolve) => (this.wake = resolve));
        busy = true;
        const events = await take(stream);
        if (events.length > 0) {
          await this.handOver(events);
          busy = false;
          lastSign = Date.now();
          continue;
        }
        busy = false;
        if (failure) throw failure.reason;
        if (ended) return;
        await woken;
      }
    } finally {
      clearInterval(checkpoints);
      clearInterval(watchdog);
      // Not awaited: it waits for a call that may still be looking for a node, and ends it then.
      stream.unsubscribe().catch(() => undefined);
      stream.destroy();
    }
  }

  private async handOver(resolved: readonly AllStreamResolvedEvent[]): Promise<void> {
    const events: StoredEvent[] = [];
    for (const { event } of resolved) {
      const stream = event && this.source.streamOf(event.streamId);
      if (stream) events.push(storedEvent(stream, event));
    }
    if (this.stopped) return;
    if (events.length > 0) {
      try {
        await this.handle(events);
      } catch (error) {
        throw new HandlerFailure(error);
      }
      this.drops = 0;
      this.source.followed(this.handledUpTo, events);
      this.handledUpTo = events.at(-1)!.position;
    }
    const last = resolved.findLast(({ event }) => event)?.event;
    if (last) this.position = last.position;
  }
}

/** What has arrived, and what the next turns of the event loop bring: a batch grows while the stream keeps up. */
const take = async (stream: AllStreamSubscription): Promise<AllStreamResolvedEvent[]> => {
  const events: AllStreamResolvedEvent[] = [];
  for (let before = -1; before < events.length && events.length < MOST_A_BATCH;) {
    before = events.length;
    for (;;) {
      const event = stream.read() as AllStreamResolvedEvent | null;
      if (!event) break;
      events.push(event);
      if (events.length === MOST_A_BATCH) return events;
    }
    if (events.length > 0) await nextTurn();
  }
  return events;
};
