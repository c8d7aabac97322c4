import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountOf, channelAdapterContract, receivedAtMs } from '../channel-adapter.contract.js';
import type { RawDelivery } from '../channel-adapter.port.js';
import { readUrlencoded } from '../shared/form-fields.js';
import { TwilioVoiceAdapter } from './twilio-voice.adapter.js';
import { signedParameters, signedUrls, twilioSignature } from './twilio-voice.verify.js';

const adapter = new TwilioVoiceAdapter();
const account = accountOf('twilio-voice');
const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const header = 'x-twilio-signature';
const signed = (delivery: RawDelivery): RawDelivery => {
  const text = delivery.url + signedParameters(readUrlencoded(delivery.body.toString('utf8')));
  return { ...delivery, headers: { ...delivery.headers, [header]: twilioSignature('test-secret', text) } };
};

channelAdapterContract({
  adapter,
  account,
  fixtures: join(import.meta.dirname, 'fixtures'),
  frame: () => ({ headers: form }),
  prove: signed,
  echoes: ['outbound-0-initiated', 'outbound-3-completed'],
});

describe('twilio-voice', () => {
  const callback = (fields: Record<string, string>): RawDelivery => ({
    account,
    method: 'POST',
    url: 'https://hub.example/v1/webhooks/twilio-voice-1',
    headers: form,
    body: Buffer.from(
      new URLSearchParams({
        CallSid: 'CA1',
        Direction: 'inbound',
        From: '+15125550142',
        To: '+18005550100',
        Timestamp: 'Mon, 02 Mar 2026 10:00:00 +0000',
        ...fields,
      }).toString(),
    ),
    receivedAtMs,
  });
  const only = (fields: Record<string, string>) => adapter.parse(callback(fields)).interactions[0]!;

  it('lets the furthest state of a call win, whatever the order of arrival', () => {
    const states = ['queued', 'initiated', 'ringing', 'in-progress', 'completed'];
    const revisions = states.map((CallStatus) => only({ CallStatus, SequenceNumber: '0' }).revision!);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(new Set(revisions).size).toBe(states.length);
    // A late `ringing` does not reopen a call, even with a higher sequence number.
    expect(only({ CallStatus: 'ringing', SequenceNumber: '5000' }).revision).toBeLessThan(
      only({ CallStatus: 'busy', SequenceNumber: '0' }).revision!,
    );
  });

  it('takes the start from the end and the duration in seconds, not the billed minutes', () => {
    const call = only({ CallStatus: 'completed', CallDuration: '90', Duration: '2' });
    expect([call.occurredAt, call.endedAt, call.attributes?.durationSeconds]).toEqual([
      '2026-03-02T09:58:30.000Z',
      '2026-03-02T10:00:00.000Z',
      90,
    ]);
  });

  it.each(['anonymous', 'Restricted', '+266696687', '', 'sip:anonymous@anonymous.invalid', 'client:agent7'])(
    'knows nobody by the caller id "%s"',
    (From) => {
      expect(only({ CallStatus: 'ringing', From }).customer).toBeUndefined();
    },
  );

  it('finds the number in a SIP address', () => {
    expect(
      only({ CallStatus: 'ringing', From: 'sip:+15125550142@pbx.example;transport=tls' }).customer?.identifiers,
    ).toEqual([{ type: 'phone', value: '+15125550142' }]);
  });

  it('accepts what was signed with another port or an encoded apostrophe', () => {
    expect(signedUrls("https://u:p@h.example/x?a=It's+so#f")).toEqual(
      expect.arrayContaining([
        'https://u:p@h.example:443/x?a=It%27s+so',
        "https://u:p@h.example/x?a=It's+so",
        'https://u:p@h.example/x?a=It%27s%20so',
      ]),
    );
  });

  it('accepts a signed GET and refuses it with other parameters', () => {
    const url = 'https://hub.example/v1/webhooks/twilio-voice-1?CallSid=CA1&CallStatus=busy';
    const get = {
      ...callback({}),
      method: 'GET',
      url,
      headers: { [header]: twilioSignature('test-secret', url) },
      body: Buffer.alloc(0),
    };
    expect(() => adapter.verify(get)).not.toThrow();
    expect(adapter.parse(get).interactions).toHaveLength(1);
    expect(() => adapter.verify({ ...get, url: `${url}&x=1` })).toThrow('the signature does not match');
  });

  const vectors = '../shared/fixtures/channels/signatures/twilio.json';
  interface Vector { authToken: string; url: string; params?: Record<string, string | string[]>; body?: string; signature: string } // prettier-ignore

  (existsSync(vectors) ? describe : describe.skip)('where the shared files are', () => {
    it('agrees with every published signature', () => {
      const { vectors: all } = JSON.parse(readFileSync(vectors, 'utf8')) as { vectors: Vector[] };
      for (const { authToken, url, params, body, signature } of all) {
        const pairs = Object.entries(params ?? {}).flatMap(([name, value]) =>
          [value].flat().map((one): [string, string] => [name, one]),
        );
        const delivery: RawDelivery = {
          ...callback({}),
          account: { ...account, secrets: ['old-token', authToken] },
          url,
          headers: { ...(body === undefined ? form : { 'content-type': 'application/json' }), [header]: signature },
          body: Buffer.from(body ?? new URLSearchParams(pairs).toString()),
        };
        expect(() => adapter.verify(delivery)).not.toThrow();
        expect(() =>
          adapter.verify({ ...delivery, body: Buffer.concat([delivery.body, Buffer.from('&x=1')]) }),
        ).toThrow('twilio-voice account');
        expect(() => adapter.verify({ ...delivery, account })).toThrow('the signature does not match');
      }
    });
  });
});
