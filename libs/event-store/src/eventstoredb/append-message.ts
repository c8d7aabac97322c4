import type { ExpectedRevision } from '../event-store.port.js';
import type { OutgoingEvent } from './records.js';

/**
 * One append as a message of `BatchAppend` in the protocol of the server (streams.proto, `BatchAppendReq`), in one piece.
 * Written by hand: what is generated takes five times as long, and this is done once a contact.
 *
 * It names no deadline: the server has its own for a write, and a point in time would have to be the same on both clocks.
 * @param id a UUID, by which the answer is known
 */
export const appendMessage = (
  id: string,
  name: string,
  events: readonly OutgoingEvent[],
  expected: ExpectedRevision,
): Buffer => {
  const options = [...field(1, field(3, [Buffer.from(name)])), ...expectation(expected)];
  const proposed = events.flatMap((event) => field(3, proposedMessage(event)));
  return Buffer.concat([...field(1, uuid(id)), ...field(2, options), ...proposed, FINAL]);
};

/** Parts of a message, one behind the other. */
type Parts = readonly Uint8Array[];

const proposedMessage = ({ id, type, json, metadata }: OutgoingEvent): Parts => [
  ...field(1, uuid(id)),
  ...field(2, entry('type', type)),
  ...JSON_TYPE,
  ...field(3, [Buffer.from(metadata)]),
  ...field(4, [Buffer.from(json)]),
];

const uuid = (id: string): Parts => field(2, [Buffer.from(id)]);

const entry = (key: string, value: string): Parts => [
  ...field(1, [Buffer.from(key)]),
  ...field(2, [Buffer.from(value)]),
];

const expectation = (expected: ExpectedRevision): Parts =>
  expected === 'no_stream' ? field(3, []) : [Buffer.from([2 << 3, ...varint(expected)])];

const BYTES = 2;

/** A field that holds a text or a message. */
const field = (number: number, parts: Parts): Parts => {
  let length = 0;
  for (const part of parts) length += part.length;
  return [Buffer.from([(number << 3) | BYTES, ...varint(length)]), ...parts];
};

// Revisions may be above what bit operations keep.
const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
};

const JSON_TYPE = field(2, entry('content-type', 'application/json'));
const FINAL = Buffer.from([4 << 3, 1]);
