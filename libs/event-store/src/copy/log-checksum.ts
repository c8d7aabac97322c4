import { createHash } from 'node:crypto';
import type { RawEvent } from '../event-log.port.js';

/** What a log holds, whatever its positions. */
export interface LogChecksum {
  events: number;
  /** Of the events and their places in their streams; hex. The order across streams does not matter to it. */
  content: string;
  /** Of the events in the order of the log; hex. */
  order: string;
}

const WORDS = 4;

/** Adds up a log, event by event, in constant memory. */
export class LogSummer {
  private events = 0;
  /** Sum of the events' hashes, modulo 2^64 in each of four parts. */
  private readonly sum = new BigUint64Array(WORDS);
  private readonly chain = createHash('sha256');

  add(event: RawEvent): void {
    const { stream, revision, id, type, schema, tenant, recordedAtMs, json } = event;
    // Stores may write the same value as another text.
    const data: unknown = JSON.parse(json);
    const digest = createHash('sha256')
      .update(JSON.stringify([stream, revision, id, type, schema, tenant, recordedAtMs, data]))
      .digest();
    for (let word = 0; word < WORDS; word++) this.sum[word] = this.sum[word]! + digest.readBigUInt64BE(word * 8);
    this.chain.update(digest);
    this.events += 1;
  }

  get checksum(): LogChecksum {
    const content = [...this.sum].map((word) => word.toString(16).padStart(16, '0')).join('');
    return { events: this.events, content, order: this.chain.copy().digest('hex') };
  }
}
