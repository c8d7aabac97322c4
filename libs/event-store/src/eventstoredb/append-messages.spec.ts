import { randomUUID } from 'node:crypto';
import rpc from '@eventstore/db-client/generated/status_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { appendRequest, readAnswer } from './append-messages.js';

const id = randomUUID();

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const event = fc.record({
  id: fc.uuid(),
  type: text,
  json: fc.oneof(
    text,
    fc.integer({ min: 1, max: 40_000 }).map((length) => 'x'.repeat(length)),
  ),
  metadata: text,
});

describe('an append as it is sent', () => {
  it('is what the classes of the client read out of it', () =>
    fc.assert(
      fc.property(
        text,
        fc.array(event, { minLength: 1, maxLength: 4 }),
        fc.option(fc.maxSafeNat(), { nil: 'no_stream' as const }),
        (name, events, expected) => {
          const request = streams.BatchAppendReq.deserializeBinary(appendRequest(id, name, events, expected));
          expect(request.getCorrelationId()!.getString()).toBe(id);
          expect(request.getIsFinal()).toBe(true);
          const options = request.getOptions()!;
          expect(Buffer.from(options.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe(name);
          expect(options.hasNoStream()).toBe(expected === 'no_stream');
          expect(options.getStreamPosition()).toBe(expected === 'no_stream' ? '0' : String(expected));
          expect(options.hasDeadline()).toBe(false);
          const sent = request.getProposedMessagesList().map((message) => ({
            id: message.getId()!.getString(),
            type: message.getMetadataMap().get('type'),
            contentType: message.getMetadataMap().get('content-type'),
            json: Buffer.from(message.getData_asU8()).toString(),
            metadata: Buffer.from(message.getCustomMetadata_asU8()).toString(),
          }));
          expect(sent).toEqual(events.map((one) => ({ ...one, contentType: 'application/json' })));
        },
      ),
    ));

  it('is the same message again, whatever was written in between', () => {
    const events = [{ id, type: 'A', json: '{"é":1}', metadata: '{}' }];
    const first = appendRequest(id, 'a-1', events, 3);
    appendRequest(id, 'b-1', [{ ...events[0]!, json: 'y'.repeat(900 * 1024) }], 'no_stream');
    expect(appendRequest(id, 'a-1', events, 3)).toEqual(first);
  });
});

const answer = (): BatchAppendResp =>
  new streams.BatchAppendResp()
    .setCorrelationId(new shared.UUID().setString(id))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from('interaction-1')));
const read = (given: BatchAppendResp) => readAnswer(Buffer.from(given.serializeBinary()));

describe('an answer', () => {
  it('tells revision and commit position of what is stored', () =>
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (revision, commit) => {
        const position = new shared.AllStreamPosition()
          .setCommitPosition(String(commit))
          .setPreparePosition(String(commit));
        const success = new streams.BatchAppendResp.Success()
          .setCurrentRevision(String(revision))
          .setPosition(position);
        expect(read(answer().setSuccess(success))).toEqual({ id, appended: { revision, commit } });
      }),
    ));

  it('may lack the position', () => {
    const success = new streams.BatchAppendResp.Success().setCurrentRevision('7');
    expect(read(answer().setSuccess(success))).toEqual({ id, appended: { revision: 7, commit: undefined } });
  });

  it('names its append as a text or as two numbers', () =>
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const [high, low] = [uuid.slice(0, 18), uuid.slice(19)].map((half) =>
          BigInt.asIntN(64, BigInt(`0x${half.replaceAll('-', '')}`)).toString(),
        );
        const structured = new shared.UUID.Structured().setMostSignificantBits(high!).setLeastSignificantBits(low!);
        const given = answer()
          .setCorrelationId(new shared.UUID().setStructured(structured))
          .setSuccess(new streams.BatchAppendResp.Success());
        expect(read(given).id).toBe(uuid);
      }),
    ));

  it('is a failure of unknown outcome where the server says no more', () => {
    expect(read(answer().setError(new rpc.Status().setMessage('Server Is Busy')))).toEqual({
      id,
      failure: expect.objectContaining({ message: 'Server Is Busy', type: 'unknown' }),
    });
    expect(read(answer())).toMatchObject({ id, failure: { type: 'unknown' } });
  });

  it('that ends in the middle is never taken for the whole', () => {
    const success = new streams.BatchAppendResp.Success().setCurrentRevision('300');
    const bytes = Buffer.from(answer().setStreamIdentifier(undefined).setSuccess(success).serializeBinary());
    const told = (length: number): unknown => {
      try {
        return readAnswer(bytes.subarray(0, length));
      } catch {
        return 'broken';
      }
    };
    expect(told(bytes.length)).toEqual({ id, appended: { revision: 300, commit: undefined } });
    for (let length = 1; length < bytes.length; length++) expect(told(length)).not.toEqual(told(bytes.length));
    expect(told(bytes.length - 1)).toBe('broken');
  });
});
