import type { Position, StoredEvent } from '../event-store.port.js';

type Recorded = Pick<StoredEvent, 'position' | 'recordedAtMs'>;

/** Of the log up to a position: the newest instant in it. */
interface Mark {
  position: Position;
  newestMs: number;
}

/**
 * Finds how far the log went at an instant. The server has no order by time, so the log is read once, from its start; of
 * what was read one mark in so many events is kept, and a question reads between two marks again.
 */
export class InstantIndex {
  private readonly marks: Mark[] = [{ position: 0, newestMs: -Infinity }];
  private last: Mark = this.marks[0]!;
  private sinceMark = 0;
  private extending: Promise<void> = Promise.resolve();

  constructor(
    private readonly readAfter: (after: Position) => AsyncIterable<Recorded[]>,
    private readonly eventsAMark = 1000,
  ) {}

  async recordedBy(instantMs: number): Promise<Position> {
    this.extending = this.extending.then(
      () => this.extend(),
      () => this.extend(),
    );
    await this.extending;
    if (this.last.newestMs <= instantMs) return this.last.position;
    let position = this.marks.findLast(({ newestMs }) => newestMs <= instantMs)!.position;
    for await (const events of this.readAfter(position))
      for (const event of events) {
        if (event.recordedAtMs > instantMs) return position;
        position = event.position;
      }
    return position;
  }

  /** A position at or before the given one that holds an event, 0 when none is known. */
  knownUpTo(position: Position): Position {
    return this.marks.findLast((mark) => mark.position <= position)!.position;
  }

  private async extend(): Promise<void> {
    for await (const events of this.readAfter(this.last.position))
      for (const { position, recordedAtMs } of events) {
        this.last = { position, newestMs: Math.max(this.last.newestMs, recordedAtMs) };
        this.sinceMark += 1;
        if (this.sinceMark < this.eventsAMark) continue;
        this.marks.push(this.last);
        this.sinceMark = 0;
      }
  }
}
