import { WireReader, WireWriter } from '#libs/event-store/eventstoredb/wire.js';
import type { FakeEvent, FakeExpectation, FakeRecord } from './fake-log.js';

// What a line under load says for every event, by hand: the generated classes would be most of what the fake costs.

/** An append as it arrives. */
export interface AppendCall {
  stream: string;
  expected: FakeExpectation;
  events: FakeEvent[];
}

/** One of a call that carries many. */
export interface BatchedAppend extends AppendCall {
  /** Its answer is known by. */
  id: string;
  /** Why the fake cannot take it. */
  problem?: string;
}

/** Reads a `BatchAppendReq`; clients send each append in one piece. */
export const readBatchAppend = (bytes: Buffer): BatchedAppend => {
  const append: BatchedAppend = { id: '', stream: '', expected: 0n, events: [] };
  let final = false;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) append.id = uuidIn(reader.inner());
    else if (reader.field === 2) readOptions(reader.inner(), append);
    else if (reader.field === 3) append.events.push(eventIn(reader.inner()));
    else if (reader.field === 4) final = reader.number() === 1;
    else reader.skip();
  }
  if (!final || append.stream === '') append.problem = 'the fake takes appends in one piece only';
  return append;
};

const readOptions = (reader: WireReader, append: BatchedAppend): void => {
  while (reader.next()) {
    if (reader.field === 1) append.stream = streamIn(reader.inner());
    else if (reader.field === 2) append.expected = reader.bits();
    else {
      if (reader.field === 3) append.expected = 'no_stream';
      else append.problem = 'the fake takes no_stream and exact revisions only, and no deadline';
      reader.skip();
    }
  }
};

const streamIn = (reader: WireReader): string => {
  let name = '';
  while (reader.next())
    if (reader.field === 3) name = reader.text();
    else reader.skip();
  return name;
};

const uuidIn = (reader: WireReader): string => {
  let id = '';
  while (reader.next())
    if (reader.field === 2) id = reader.text();
    else throw new RangeError('the fake takes ids as texts only');
  return id;
};

const eventIn = (reader: WireReader): FakeEvent => {
  const event: FakeEvent = { id: '', type: '', contentType: '', metadata: new Uint8Array(), data: new Uint8Array() };
  while (reader.next()) {
    if (reader.field === 1) event.id = uuidIn(reader.inner());
    else if (reader.field === 2) readEntry(reader.inner(), event);
    else if (reader.field === 3) event.metadata = reader.bytes();
    else if (reader.field === 4) event.data = reader.bytes();
    else reader.skip();
  }
  return event;
};

const readEntry = (reader: WireReader, event: FakeEvent): void => {
  let [key, value] = ['', ''];
  while (reader.next())
    if (reader.field === 1) key = reader.text();
    else value = reader.text();
  if (key === 'type') event.type = value;
  if (key === 'content-type') event.contentType = value;
};

const writer = new WireWriter();

const within = (field: number, write: () => void): void => {
  const { end } = writer;
  write();
  writer.close(field, end);
};

const writeEntry = (field: number, key: string, value: string): void =>
  within(field, () => {
    writer.text(2, value);
    writer.text(1, key);
  });

/** `BatchAppendResp` of what is stored. */
export const batchAppended = (
  { id, stream }: Pick<BatchedAppend, 'id' | 'stream'>,
  { revision, position }: FakeRecord,
  tellsPosition = true,
): Buffer =>
  writer.message(() => {
    within(4, () => writer.text(3, stream));
    within(3, () => {
      if (tellsPosition)
        within(3, () => {
          writer.number(2, Number(position));
          writer.number(1, Number(position));
        });
      writer.number(1, Number(revision));
    });
    within(1, () => writer.text(2, id));
  });

/** `ReadResp` with an event. */
export const eventMessage = (record: FakeRecord): Buffer => {
  const position = Number(record.position);
  return writer.message(() =>
    within(1, () => {
      writer.number(3, position);
      within(1, () => {
        writer.bytes(8, record.data);
        writer.bytes(7, record.metadata);
        writeEntry(6, 'created', String(record.createdTicks));
        writeEntry(6, 'content-type', record.contentType);
        writeEntry(6, 'type', record.type);
        writer.number(5, position);
        writer.number(4, position);
        writer.number(3, Number(record.revision));
        within(2, () => writer.text(3, record.stream));
        within(1, () => writer.text(2, record.id));
      });
    }),
  );
};
