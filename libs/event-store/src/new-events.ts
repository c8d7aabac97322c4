import { HubError, isUuid, type Uuid } from '#libs/kernel';
import type { ExpectedRevision, NewEvent, StreamCategory, StreamId } from './event-store.port.js';

// Stored numbers: never renumber, only add.
const CATEGORY_NUMBERS: Record<StreamCategory, number> = {
  interaction: 1,
  conversation: 2,
  link: 3,
  identity: 4,
  access: 5,
  note: 6,
  commitment: 7,
  consent: 8,
  erasure: 9,
  eras: 10,
};
export const STREAM_CATEGORIES = Object.keys(CATEGORY_NUMBERS) as StreamCategory[];
const categories = new Map(Object.entries(CATEGORY_NUMBERS).map(([name, number]) => [number, name as StreamCategory]));

export const categoryOfNumber = (number: number): StreamCategory => {
  const category = categories.get(number);
  if (!category) throw new HubError('EVENT_STORE.FAILED', `stream category ${number} was written by a newer release`);
  return category;
};

/** @throws HubError `EVENT_STORE.INVALID_APPEND` when the text is no stream id */
export const partsOfStream = (stream: StreamId): { category: number; id: Uuid } => {
  const hyphen = stream.indexOf('-');
  const category = CATEGORY_NUMBERS[stream.slice(0, hyphen) as StreamCategory] as number | undefined;
  const id = stream.slice(hyphen + 1);
  if (category === undefined || !isUuid(id))
    throw new HubError('EVENT_STORE.INVALID_APPEND', `"${stream}" is not {category}-{uuid}`, { facts: { stream } });
  return { category, id };
};

/** The revision of the last event that must be there, -1 for none. */
export const revisionBefore = (expected: ExpectedRevision): number => (expected === 'no_stream' ? -1 : expected);

/** @throws HubError `EVENT_STORE.INVALID_APPEND`: what no state of the stream could accept */
export const checkAppend = (stream: StreamId, events: readonly NewEvent[], expected: ExpectedRevision): void => {
  const refuse = (problem: string): never => {
    throw new HubError('EVENT_STORE.INVALID_APPEND', `${stream}: ${problem}`, { facts: { stream } });
  };
  if (events.length === 0) refuse('an append needs at least one event');
  if (expected !== 'no_stream' && !(Number.isSafeInteger(expected) && expected >= 0))
    refuse(`expected revision ${expected} is not a whole number from 0`);
  for (const { id, schema, data } of events) {
    if (!isUuid(id)) refuse('an event id is not a lower-case UUID');
    if (typeof data !== 'object' || data === null) refuse('data of an event is an object');
    if (!Number.isSafeInteger(schema)) refuse(`schema ${schema} is not a whole number`);
  }
};
