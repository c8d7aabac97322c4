import fc from 'fast-check';
import { IdFactory, LIMITS } from '#libs/kernel';
import { readEvent, type TransportedEvent } from './event-reader.js';

const ids = new IdFactory(Buffer.alloc(32, 1));
const edge = { tenant: 'acme', nowMs: Date.parse('2026-01-02T10:00:00Z'), receivedAt: '2026-01-02T10:00:00.000Z', ids };

const data = {
  channel: 'chat',
  account: 'web',
  kind: 'message',
  text: 'Where is my parcel? 100 % late',
  customer: { identifiers: [{ type: 'email', value: 'ana@example.com' }] },
};
const envelope = {
  specversion: '1.0',
  id: 'c-17',
  source: '/chat/web',
  type: 'com.example.chat.message',
  time: '2026-01-02T09:59:00Z',
};

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const structured = (event: object): TransportedEvent => ({
  headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  value: json(event),
});
const binary = (event: Record<string, string>, content: object): TransportedEvent => ({
  headers: {
    'content-type': 'application/json',
    ...Object.fromEntries(Object.entries(event).map(([name, text]) => [`ce_${name}`, text])),
  },
  value: json(content),
});
const problemOf = (event: TransportedEvent): string => {
  const read = readEvent(event, edge);
  return 'problem' in read ? read.problem : '';
};

describe('CloudEvents over Kafka', () => {
  it('bring their trace along, in the extension of CloudEvents', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const event of [structured({ ...envelope, data, traceparent }), binary({ ...envelope, traceparent }, data)])
      expect(readEvent(event, edge)).toMatchObject({ receipt: expect.any(String) as string, traceparent });
    expect(readEvent(structured({ ...envelope, data, traceparent: 'Ana' }), edge)).not.toHaveProperty('traceparent');
  });

  const expected = {
    type: 'interaction',
    receipt: ids.interaction('acme', 'chat', 'web', 'c-17'),
    interaction: { tenant: 'acme', externalId: 'c-17', occurredAt: '2026-01-02T09:59:00.000Z', text: data.text },
  };

  it.each([
    ['structured mode', structured({ ...envelope, data })],
    ['structured mode without headers', { headers: {}, value: json({ ...envelope, data }) }],
    ['binary mode', binary(envelope, data)],
    [
      'binary mode without a content type',
      { headers: { ...binary(envelope, data).headers, 'content-type': undefined }, value: json(data) },
    ],
  ])('are read in %s, with the tenant of their topic', (_, event) => {
    expect(readEvent(event, edge)).toMatchObject(expected);
  });

  it('are customer records where their type says so', () => {
    const record = { source: 'crm', externalId: '7', name: 'Ana' };
    const event = structured({ ...envelope, type: 'hilo.profile.v1', data: record });
    expect(readEvent(event, edge)).toMatchObject({ type: 'profile', profile: { tenant: 'acme', source: 'crm' } });
  });

  it.each([
    ['it is no CloudEvent', { headers: { 'content-type': 'application/json' }, value: json(data) }],
    ['the value is not JSON', { headers: {}, value: Buffer.from('{') }],
    ['the value is empty', { headers: {}, value: Buffer.alloc(0) }],
    ['is not UTF-8', { headers: {}, value: Buffer.from([0x22, 0xff, 0x22]) }],
    ['$.specversion', structured({ ...envelope, specversion: '0.3', data })],
    ['$.id', structured({ ...envelope, id: '', data })],
    ['$.data.kind', structured({ ...envelope, data: { ...data, kind: 'shout' } })],
    ['$.kind', binary(envelope, { ...data, kind: 'shout' })],
    ['$.data.tenant', structured({ ...envelope, data: { ...data, tenant: 'globex' } })],
    [
      'datacontenttype',
      { ...binary(envelope, data), headers: { ...binary(envelope, data).headers, 'content-type': 'text/xml' } },
    ],
    ['bytes of JSON', structured({ ...envelope, data: { ...data, text: 'x'.repeat(LIMITS.interactionBytes - 50) } })],
  ])('are refused with a reason: %s', (reason, event) => {
    expect(problemOf(event)).toContain(reason);
  });

  it('never throw, whatever lies on the topic', () =>
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('content-type', 'ce_specversion', 'ce_id', 'ce_source', 'ce_type'), fc.string()),
        fc.oneof(
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (headers, value) => {
          expect(readEvent({ headers, value }, edge)).toBeDefined();
        },
      ),
    ));
});
