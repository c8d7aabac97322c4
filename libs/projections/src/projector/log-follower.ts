import type { Position, StoredEvent } from '#libs/event-store';
import { setTimeout } from 'node:timers/promises';
import { isRetryable } from '#libs/kernel';
import { isStorageFailure } from '#libs/kernel/sqlite.js';
import { unpackEvents, type HandOver } from './hand-over.js';
import type { EventLog } from './projector.js';

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5000;

/** Something that moves along the log and remembers its place durably. */
export interface LogReader {
  checkpoint(): Promise<Position>;
  /** Events after the checkpoint, without a gap. */
  apply(events: readonly StoredEvent[]): Promise<void>;
}

/**
 * Leads several readers along the log with one scan of it. It reads when it is woken, never on a timer: whoever
 * appends says so.
 */
export class LogFollower {
  private wanted = 0;
  /** Events that need not be read, in the order of the log; there may be gaps between them. */
  private handedOver: HandOver[] = [];
  private stopped = false;
  private rouse: (() => void) | undefined;
  /** Rejects when a reader failed, resolves once stopped. */
  readonly done: Promise<void>;

  constructor(
    private readonly log: EventLog,
    private readonly readers: readonly LogReader[],
    private readonly batchSize = 1000,
  ) {
    this.done = this.run();
  }

  /** Says that the log has grown to `head`. */
  wake(head: Position): void {
    if (head > this.wanted) this.wanted = head;
    this.rouse?.();
  }

  /** Hands over what the log has grown by; what is not handed over is read. */
  offer(events: HandOver): void {
    this.handedOver.push(events);
    this.wake(events.through);
  }

  /** Resolves when the running batch is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.rouse?.();
    await this.done;
  }

  /** Storage that is full or busy passes; until then the readers stay where they are. */
  private async run(): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; !this.stopped; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      try {
        await this.follow();
      } catch (error) {
        if (!isRetryable(error) && !isStorageFailure(error)) throw error;
        await Promise.race([setTimeout(waitMs, undefined, { ref: false }), this.roused()]);
      }
    }
  }

  private roused(): Promise<void> {
    return new Promise((resolve) => (this.rouse = resolve));
  }

  private async follow(): Promise<void> {
    const places = await Promise.all(this.readers.map((reader) => reader.checkpoint()));
    let after = Math.min(...places);
    this.wake(await this.log.head());
    while (!this.stopped) {
      if (after >= this.wanted) {
        await this.roused();
        this.rouse = undefined;
        continue;
      }
      for await (const events of this.batchesAfter(after)) {
        for (const [index, reader] of this.readers.entries()) {
          const place = places[index]!;
          const unseen = place < events[0]!.position ? events : events.filter((event) => event.position > place);
          if (unseen.length > 0) await reader.apply(unseen);
          places[index] = Math.max(place, events.at(-1)!.position);
        }
        after = events.at(-1)!.position;
        if (this.stopped) break;
      }
      // Positions need not be contiguous: a head that was skipped over counts as read.
      if (after < this.wanted && this.handedOver.length === 0 && after >= (await this.log.head())) this.wanted = after;
    }
  }

  private batchesAfter(after: Position): Iterable<StoredEvent[]> | AsyncIterable<StoredEvent[]> {
    const events = this.takeHandedOver(after);
    if (events) return [events];
    const through = this.handedOver[0]?.after;
    return this.log.readAll({ after, batchSize: this.batchSize, ...(through === undefined ? {} : { through }) });
  }

  /** One batch of what was handed over, where it goes on from `after`. */
  private takeHandedOver(after: Position): StoredEvent[] | undefined {
    while (this.handedOver[0] && this.handedOver[0].through <= after) this.handedOver.shift();
    const events: StoredEvent[] = [];
    for (let place = after; events.length < this.batchSize;) {
      const next = this.handedOver[0];
      if (!next || next.after > place) break;
      for (const pack of next.packs)
        for (const event of unpackEvents(pack)) if (event.position > after) events.push(event);
      place = next.through;
      this.handedOver.shift();
    }
    return events.length > 0 ? events : undefined;
  }
}
