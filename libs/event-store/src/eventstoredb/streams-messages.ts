import protobuf from 'protobufjs/light.js';

/** A whole number of 64 bits, as protobufjs reads it. */
interface Long {
  toNumber(): number;
  toString(): string;
}

/** Ids are texts or two halves of 64 bits. */
export interface UuidMessage {
  structured: { mostSignificantBits: Long; leastSignificantBits: Long } | null;
  string: string;
}

/** Messages within messages are null where nothing was sent. */
export interface BatchAppendRequest {
  correlationId: UuidMessage | null;
  options: {
    streamIdentifier: { streamName: string } | null;
    streamPosition: Long;
    noStream: object | null;
    any: object | null;
    streamExists: object | null;
    deadlineInstant: object | null;
    deadline: object | null;
  } | null;
  proposedMessages: {
    id: UuidMessage | null;
    metadata: Readonly<Record<string, string>>;
    customMetadata: Uint8Array;
    data: Uint8Array;
  }[];
  isFinal: boolean;
}

export interface BatchAppendAnswer {
  correlationId: UuidMessage | null;
  success: { currentRevision: Long; position: { commitPosition: Long } | null } | null;
}

const texts = (id: number): protobuf.IMapField => ({ id, keyType: 'string', type: 'string' });

/**
 * The messages of `streams.proto` (package `event_store.client.streams`) that travel for every contact, for protobufjs: the
 * generated classes that ship with the client take several times as long. Numbers are those of the definitions; stream
 * names are bytes there, which are the same on the wire.
 */
const root = protobuf.Root.fromJSON({
  nested: {
    Empty: { fields: {} },
    Structured: {
      fields: { mostSignificantBits: { id: 1, type: 'int64' }, leastSignificantBits: { id: 2, type: 'int64' } },
    },
    UUID: { fields: { structured: { id: 1, type: 'Structured' }, string: { id: 2, type: 'string' } } },
    StreamIdentifier: { fields: { streamName: { id: 3, type: 'string' } } },
    AllStreamPosition: {
      fields: { commitPosition: { id: 1, type: 'uint64' }, preparePosition: { id: 2, type: 'uint64' } },
    },
    AppendOptions: {
      fields: {
        streamIdentifier: { id: 1, type: 'StreamIdentifier' },
        streamPosition: { id: 2, type: 'uint64' },
        noStream: { id: 3, type: 'Empty' },
        any: { id: 4, type: 'Empty' },
        streamExists: { id: 5, type: 'Empty' },
        deadlineInstant: { id: 6, type: 'Empty' },
        deadline: { id: 7, type: 'Empty' },
      },
    },
    ProposedMessage: {
      fields: {
        id: { id: 1, type: 'UUID' },
        metadata: texts(2),
        customMetadata: { id: 3, type: 'bytes' },
        data: { id: 4, type: 'bytes' },
      },
    },
    BatchAppendReq: {
      fields: {
        correlationId: { id: 1, type: 'UUID' },
        options: { id: 2, type: 'AppendOptions' },
        proposedMessages: { id: 3, type: 'ProposedMessage', rule: 'repeated' },
        isFinal: { id: 4, type: 'bool' },
      },
    },
    AppendSuccess: {
      fields: { currentRevision: { id: 1, type: 'uint64' }, position: { id: 3, type: 'AllStreamPosition' } },
    },
    BatchAppendResp: {
      fields: {
        correlationId: { id: 1, type: 'UUID' },
        success: { id: 3, type: 'AppendSuccess' },
        streamIdentifier: { id: 4, type: 'StreamIdentifier' },
      },
    },
    RecordedEvent: {
      fields: {
        id: { id: 1, type: 'UUID' },
        streamIdentifier: { id: 2, type: 'StreamIdentifier' },
        streamRevision: { id: 3, type: 'uint64' },
        preparePosition: { id: 4, type: 'uint64' },
        commitPosition: { id: 5, type: 'uint64' },
        metadata: texts(6),
        customMetadata: { id: 7, type: 'bytes' },
        data: { id: 8, type: 'bytes' },
      },
    },
    ReadEvent: { fields: { event: { id: 1, type: 'RecordedEvent' }, commitPosition: { id: 3, type: 'uint64' } } },
    ReadResp: { fields: { event: { id: 1, type: 'ReadEvent' } } },
  },
});

type MessageName = 'BatchAppendReq' | 'BatchAppendResp' | 'ReadResp';

/** @returns the message as it is sent */
export const encoderOf = (name: MessageName): ((message: object) => Buffer) => {
  const type = root.lookupType(name);
  return (message) => type.encode(message).finish() as Buffer;
};

/** @returns what reads a message; it throws a RangeError where that ends too soon */
export const decoderOf = <Message>(name: MessageName): ((bytes: Buffer) => Message) => {
  const type = root.lookupType(name);
  return (bytes) => type.decode(bytes) as unknown as Message;
};
