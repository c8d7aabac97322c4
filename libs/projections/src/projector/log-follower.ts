import type { Position, StoredEvent } from '#libs/event-store';
import { setTimeout } from 'node:timers/promises';
import { isRetryable } from '#libs/kernel';
import { isStorageFailure } from '#libs/kernel/sqlite.js';
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
      for await (const events of this.log.readAll({ after, batchSize: this.batchSize })) {
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
      if (after < this.wanted && after >= (await this.log.head())) this.wanted = after;
    }
  }
}
