import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { uuidOfBytes } from '#libs/kernel';
import type { ExpectedRevision } from '../event-store.port.js';
import type { OutgoingEvent } from './records.js';
import { WireReader, WireWriter } from './wire.js';

/** What a server says of an append that it has stored, now or before. */
export interface Appended {
  /** Of the last event. */
  revision: number;
  /** Commit position of the last event, exact below 2^53; servers need not tell. */
  commit: number | undefined;
}

/** One answer on a `BatchAppend` call, by the id that its append was sent under. */
export type AppendAnswer = { id: string } & ({ appended: Appended } | { failure: Error });

const writer = new WireWriter();

/**
 * An append as `BatchAppendReq`, by hand: it is done for every contact, and the classes of the client take six times as long.
 * Without a deadline: the server has its own for a write, and a point in time would have to be the same on both clocks.
 */
export const appendRequest = (
  id: string,
  name: string,
  events: readonly OutgoingEvent[],
  expected: ExpectedRevision,
): Buffer =>
  writer.message(() => {
    // From the end to the beginning: then lengths are known when they are written.
    writer.number(4, 1);
    for (let i = events.length - 1; i >= 0; i--) writeEvent(events[i]!);
    const options = writer.end;
    if (expected === 'no_stream') writer.text(3, '');
    else writer.number(2, expected);
    const stream = writer.end;
    writer.text(3, name);
    writer.close(1, stream);
    writer.close(2, options);
    writeUuid(1, id);
  });

const writeEvent = ({ id, type, json, metadata }: OutgoingEvent): void => {
  const event = writer.end;
  writer.text(4, json);
  writer.text(3, metadata);
  writeEntry('content-type', 'application/json');
  writeEntry('type', type);
  writeUuid(1, id);
  writer.close(3, event);
};

const writeEntry = (key: string, value: string): void => {
  const entry = writer.end;
  writer.text(2, value);
  writer.text(1, key);
  writer.close(2, entry);
};

const writeUuid = (field: number, id: string): void => {
  const uuid = writer.end;
  writer.text(2, id);
  writer.close(field, uuid);
};

/** What a `BatchAppendResp` says; a refusal is read by the classes of the client. */
export const readAnswer = (bytes: Buffer): AppendAnswer => {
  let id = '';
  let appended: Appended | undefined;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) id = uuidIn(reader.inner());
    else if (reader.field === 3) appended = appendedIn(reader.inner());
    else reader.skip();
  }
  return appended ? { id, appended } : { id, failure: failureOf(streams.BatchAppendResp.deserializeBinary(bytes)) };
};

const appendedIn = (reader: WireReader): Appended => {
  const appended: Appended = { revision: 0, commit: undefined };
  while (reader.next()) {
    if (reader.field === 1) appended.revision = reader.number();
    else if (reader.field === 3) appended.commit = commitIn(reader.inner());
    else reader.skip();
  }
  return appended;
};

const commitIn = (reader: WireReader): number => {
  let commit = 0;
  while (reader.next()) {
    if (reader.field === 1) commit = reader.number();
    else reader.skip();
  }
  return commit;
};

/** As a text, or as two halves of 64 bits: servers may answer in either form. */
const uuidIn = (reader: WireReader): string => {
  let id = '';
  while (reader.next()) {
    if (reader.field === 2) id = reader.text();
    else if (reader.field === 1) id = halvesIn(reader.inner());
    else reader.skip();
  }
  return id;
};

const halvesIn = (reader: WireReader): string => {
  const bytes = Buffer.alloc(16);
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 2) bytes.writeBigUInt64BE(reader.bits(), (reader.field - 1) * 8);
    else reader.skip();
  }
  return uuidOfBytes(bytes);
};

/** Types of the client's errors, by the details of a server's refusal; whatever else it says leaves the outcome open. */
const TYPES: Readonly<Record<string, string>> = {
  'event_store.client.WrongExpectedVersion': 'wrong-expected-version',
  'event_store.client.StreamDeleted': 'stream-deleted',
  'event_store.client.AccessDenied': 'access-denied',
  'event_store.client.MaximumAppendSizeExceeded': 'maximum-append-size-exceeded',
  'event_store.client.Timeout': 'timeout',
};

const failureOf = (reply: BatchAppendResp): Error => {
  const status = reply.getError();
  const details = status?.getDetails();
  const name = details?.getTypeName() ?? '';
  const type = TYPES[name] ?? 'unknown';
  const error = Object.assign(new Error(status?.getMessage() ?? ''), { type });
  if (type !== 'wrong-expected-version') return error;
  const conflict = details!.unpack((bytes) => shared.WrongExpectedVersion.deserializeBinary(bytes), name)!;
  const actualVersion = conflict.hasCurrentStreamRevision() ? BigInt(conflict.getCurrentStreamRevision()) : 'no_stream';
  return Object.assign(error, { actualVersion });
};
