import { hash } from 'node:crypto';
import { codeOf, uuidOfHex } from '#libs/kernel';
import type { Appender } from './appender.js';
import type { LogReader } from './log-reader.js';
import type { SideStreamId } from './records.js';

/** What is kept on the server beside the log, in streams of their own: to all readers of the log these are somebody else's. */
export class SideStreams {
  constructor(
    private readonly log: Pick<LogReader, 'eventIn'>,
    private readonly appender: Pick<Appender, 'append'>,
  ) {}

  /** What a stream holds at a place, counting from 0, or at its end. */
  async find(stream: SideStreamId, place: number | 'last'): Promise<{ place: number; data: object } | undefined> {
    const event = await this.log.eventIn(stream, place);
    return event && { place: Number(event.revision), data: event.data as object };
  }

  /**
   * Puts data at a place, if nothing is there; whoever adds the same again is answered in the same way.
   * @returns false where something else is there, or the place before it is empty
   */
  async add(stream: SideStreamId, place: number, type: string, data: object): Promise<boolean> {
    const id = uuidOfHex(hash('sha256', `${stream}\0${place}\0${JSON.stringify(data)}`, 'hex').slice(0, 32));
    const expected = place === 0 ? 'no_stream' : place - 1;
    try {
      await this.appender.append(stream, [{ id, type, schema: 1, tenant: '', data }], expected);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EVENT_STORE.REVISION_CONFLICT') return false;
      throw error;
    }
  }
}
