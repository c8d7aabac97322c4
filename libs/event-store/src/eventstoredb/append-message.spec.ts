import { randomUUID } from 'node:crypto';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import * as fc from 'fast-check';
import { appendMessage } from './append-message.js';

const events = fc.array(
  fc.record({
    id: fc.uuid(),
    type: fc.string({ unit: 'binary', minLength: 1 }),
    json: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('ü'.repeat(40_000))),
    metadata: fc.string({ unit: 'binary' }),
  }),
  { maxLength: 4 },
);

it('says what the generated messages of the client read', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), events, fc.maxSafeNat(), (name, given, revision) => {
      const id = randomUUID();
      const message = streams.BatchAppendReq.deserializeBinary(appendMessage(id, name, given, revision));
      const options = message.getOptions()!;
      expect(message.getCorrelationId()!.getString()).toBe(id);
      expect(message.getIsFinal()).toBe(true);
      expect(Buffer.from(options.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe(name);
      expect(options.getStreamPosition()).toBe(String(revision));
      expect(options.hasNoStream() || options.hasDeadline()).toBe(false);
      const read = message.getProposedMessagesList().map((proposed) => ({
        id: proposed.getId()!.getString(),
        type: proposed.getMetadataMap().get('type'),
        json: Buffer.from(proposed.getData_asU8()).toString(),
        metadata: Buffer.from(proposed.getCustomMetadata_asU8()).toString(),
      }));
      expect(read).toEqual(given);
      for (const proposed of message.getProposedMessagesList())
        expect(proposed.getMetadataMap().get('content-type')).toBe('application/json');
    }),
  );
});

it('says that there must be no stream', () => {
  const message = streams.BatchAppendReq.deserializeBinary(appendMessage(randomUUID(), 'a-1', [], 'no_stream'));
  expect(message.getOptions()!.hasNoStream()).toBe(true);
  expect(message.getOptions()!.hasStreamPosition()).toBe(false);
});
