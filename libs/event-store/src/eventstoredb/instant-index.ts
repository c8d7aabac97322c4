import { LruMap } from '#libs/kernel';
import type { Position, StoredEvent } from '../event-store.port.js';

type Recorded = Pick<StoredEvent, 'position' | 'recordedAtMs'>;

/** Of the log up to a position: the newest instant in it. */
export interface Mark {
  position: Position;
  newestMs: number;
}

/** Marks in their order, one after so many events, the same whoever has made them. */
export interface Marks {
  last(): Promise<{ number: number; mark: Mark } | undefined>;
  /** One that is there. */
  at(number: number): Promise<Mark>;
  /** @returns whether it is there now */
  add(number: number, mark: Mark): Promise<boolean>;
}

/** The same for ever: marks are numbered by it. */
export const EVENTS_A_MARK = 1000;
const CACHED_MARKS = 1000;
const BEGINNING: Mark = { position: 0, newestMs: Number.NEGATIVE_INFINITY };

/**
 * Finds how far the log went at an instant. The server has no order by time and reads from no position but that of a
 * record, so one mark in so many events is kept on it. A question bisects the marks and reads the events between two
 * of them; what no mark covers yet is read once, and marked. Memory is constant.
 */
export class InstantIndex {
  private readonly cached = new LruMap<number, Mark>(CACHED_MARKS);
  /** How far this process has read: the marks up to there, and the events behind the last of them. */
  private tail = { ...BEGINNING, marks: 0, events: 0 };
  private last: Mark = BEGINNING;
  /** Unless they could not be added: then `tail.events` counts from no mark. */
  private marking = true;
  private running: Promise<unknown> = Promise.resolve();
  /** Where the last mark was when it was last looked whether others mark; undefined before the first look. */
  private lookedAt: Position | undefined;

  constructor(
    private readonly readAfter: (after: Position) => AsyncIterable<Recorded[]>,
    private readonly marks: Marks,
    private readonly eventsAMark = EVENTS_A_MARK,
  ) {}

  recordedBy(instantMs: number): Promise<Position> {
    return this.inTurn(async () => {
      await this.jump();
      if (this.tail.newestMs <= instantMs) return this.goOn(instantMs);
      const { position } = await this.lastMark(({ newestMs }) => newestMs <= instantMs);
      return this.readFrom(position, instantMs);
    });
  }

  /**
   * Marks what no mark covers yet, or as much of it as there is time for.
   * @param unlessOthersDo nothing is read where others have marked since this was last asked: who follows the log does. The
   * first time nobody can tell, and nothing is read either
   */
  extend(signal?: AbortSignal, unlessOthersDo = false): Promise<void> {
    return this.inTurn(async () => {
      this.resume();
      await this.jump();
      const othersDo = unlessOthersDo && (this.lookedAt === undefined || this.last.position > this.lookedAt);
      if (!othersDo) await this.goOn(Number.POSITIVE_INFINITY, signal);
      this.lookedAt = this.last.position;
    });
  }

  /** Marks what somebody has followed of the log, all events after a position, without reading it again. Never fails. */
  followed(after: Position, events: readonly Recorded[]): void {
    const seen = events.map(({ position, recordedAtMs }) => ({ position, recordedAtMs }));
    void this.inTurn(async () => {
      this.resume();
      if (this.tail.position === 0 || this.tail.position < after) await this.jump();
      // Where it does not go on from what is known, whoever appends has to read.
      if (this.tail.position < after) return;
      for (const event of seen) if (event.position > this.tail.position && this.count(event)) await this.mark();
    }).catch(() => undefined);
  }

  /** A position at or before the given one that holds an event, 0 when none is known. */
  knownUpTo(position: Position): Promise<Position> {
    return this.inTurn(async () => {
      await this.jump();
      return (await this.lastMark((mark) => mark.position <= position)).position;
    });
  }

  /** What is known grows by one question at a time. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.running.then(work);
    this.running = answer.catch(() => undefined);
    return answer;
  }

  /** Back to the last mark, where one could not be added. */
  private resume(): void {
    if (!this.marking) this.tail = { ...this.last, marks: this.tail.marks, events: 0 };
    this.marking = true;
  }

  /** To the last mark, when others have made it farther than we have read. */
  private async jump(): Promise<void> {
    const last = await this.marks.last();
    if (!last || last.mark.position <= this.last.position) return;
    this.last = last.mark;
    this.tail = { ...last.mark, marks: last.number + 1, events: 0 };
    this.marking = true;
  }

  /** The last mark of those at the beginning that satisfy; the beginning of the log where none does. */
  private async lastMark(satisfies: (mark: Mark) => boolean): Promise<Mark> {
    if (satisfies(this.last)) return this.last;
    let [mark, low, high] = [BEGINNING, 0, this.tail.marks - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = await this.markAt(middle);
      if (satisfies(found)) [mark, low] = [found, middle + 1];
      else high = middle - 1;
    }
    return mark;
  }

  private async markAt(number: number): Promise<Mark> {
    const known = this.cached.get(number) ?? (await this.marks.at(number));
    this.cached.set(number, known);
    return known;
  }

  private async readFrom(after: Position, instantMs: number): Promise<Position> {
    let position = after;
    for await (const events of this.readAfter(after))
      for (const event of events) {
        if (event.recordedAtMs > instantMs) return position;
        position = event.position;
      }
    return position;
  }

  /** Behind what was read so far, where everything is older than asked. */
  private async goOn(instantMs: number, signal?: AbortSignal): Promise<Position> {
    for await (const events of this.readAfter(this.tail.position)) {
      if (signal?.aborted) break;
      for (const event of events) {
        if (event.recordedAtMs > instantMs) return this.tail.position;
        if (this.count(event)) await this.mark();
      }
    }
    return this.tail.position;
  }

  /** @returns whether a mark is due behind it */
  private count({ position, recordedAtMs }: Recorded): boolean {
    const { newestMs, marks, events } = this.tail;
    this.tail = { position, newestMs: Math.max(newestMs, recordedAtMs), marks, events: events + 1 };
    return this.marking && this.tail.events === this.eventsAMark;
  }

  /** Who may read and not write gets answers all the same. */
  private async mark(): Promise<void> {
    const { position, newestMs, marks } = this.tail;
    this.marking = await this.marks.add(marks, { position, newestMs }).catch(() => false);
    if (!this.marking) return;
    this.last = { position, newestMs };
    this.tail = { position, newestMs, marks: marks + 1, events: 0 };
  }
}
