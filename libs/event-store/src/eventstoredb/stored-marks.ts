import type { Mark, Marks } from './instant-index.js';
import type { SideStreams } from './side-streams.js';

const STREAM = 'beside_marks-1';
/** Stored: for ever. */
const TYPE = 'InstantMarked';

/** Marks of a log on its server. They follow from the log alone: without them it is read again, and they are made again. */
export class StoredMarks implements Marks {
  constructor(private readonly beside: SideStreams) {}

  async last(): Promise<{ number: number; mark: Mark } | undefined> {
    const last = await this.beside.find(STREAM, 'last');
    return last && { number: last.place, mark: last.data as Mark };
  }

  async at(number: number): Promise<Mark> {
    return (await this.beside.find(STREAM, number))!.data as Mark;
  }

  add(number: number, mark: Mark): Promise<boolean> {
    return this.beside.add(STREAM, number, TYPE, mark);
  }
}
