import { HubError, toInstant, type Direction } from '#libs/kernel';
import type { ParsedDelivery, RawDelivery } from '../channel-adapter.port.js';
import { contactOf } from '../shared/contact.js';
import { readUrlencoded } from '../shared/form-fields.js';
import { attributesOf, countOf, lineOf } from '../shared/lax.js';
import { callerIdentifiers } from '../shared/phone-caller.js';
import type { TwilioVoiceParameters } from './twilio-voice.types.js';

/** How far a call has got; callbacks arrive in any order, and the furthest state wins. */
const rank: Readonly<Record<string, number>> = {
  queued: 1,
  initiated: 2,
  ringing: 3,
  'in-progress': 4,
  completed: 5,
  busy: 5,
  failed: 5,
  'no-answer': 5,
  canceled: 5,
};
const finalRank = 5;

const directions: Readonly<Record<string, Direction>> = {
  inbound: 'inbound',
  'outbound-api': 'outbound',
  'outbound-dial': 'outbound',
  'trunking-originating': 'outbound',
  'trunking-terminating': 'inbound',
};

/** One status callback as the call it is about. @throws HubError `CHANNEL.UNREADABLE` */
export const parseTwilioVoice = (delivery: RawDelivery): ParsedDelivery => {
  const { account, body, method, url, receivedAtMs } = delivery;
  const query = url.indexOf('?');
  const fields = readUrlencoded(method === 'GET' ? (query < 0 ? '' : url.slice(query + 1)) : body.toString('utf8'));
  const get = (name: keyof TwilioVoiceParameters): string | undefined => lineOf(fields.get(name)?.[0]);
  const callSid = get('CallSid');
  if (callSid === undefined) throw new HubError('CHANNEL.UNREADABLE', 'the form has no CallSid');
  const ignore = (reason: string): ParsedDelivery => ({ interactions: [], ignored: [{ reason, item: callSid }] });
  // These two carry CallStatus as well, but say something else about the call.
  if (get('TranscriptionSid') !== undefined) return ignore('transcription');
  if (fields.has('RecordingStatus')) return ignore('recording');
  // A <Dial> leg has a callback of its own; the contact is the call that asked for it.
  if (get('ParentCallSid') !== undefined) return ignore('child-leg');

  const status = get('CallStatus') ?? '';
  const reached = Object.hasOwn(rank, status) ? rank[status]! : undefined;
  if (reached === undefined) return ignore(`unsupported:${status}`);
  const isFinal = reached === finalRank;
  const timestampMs = readTimestampMs(get('Timestamp'));
  // Without a time it is Twilio asking what to do with the call, once per step, not telling how the call went.
  if (timestampMs === undefined && !isFinal) return ignore('voice-request');

  const happenedMs = timestampMs ?? receivedAtMs;
  const durationSeconds = countOf(get('CallDuration'));
  const startMs = status === 'completed' ? happenedMs - (durationSeconds ?? 0) * 1000 : happenedMs;
  const direction = directions[get('Direction') ?? ''] ?? 'inbound';
  const identifiers = callerIdentifiers(get(direction === 'inbound' ? 'From' : 'To'));
  const name = direction === 'inbound' && identifiers.length > 0 ? get('CallerName') : undefined;
  return {
    interactions: [
      contactOf({
        channel: 'phone',
        account: account.name,
        externalId: callSid,
        // Orders by state first, then by Twilio's own count; 1 to 5999.
        revision: reached * 1000 + Math.min(countOf(get('SequenceNumber')) ?? 0, 998) + 1,
        kind: 'call',
        threadId: callSid,
        direction,
        occurredAt: toInstant(Math.max(startMs, 0)),
        endedAt: isFinal ? toInstant(happenedMs) : undefined,
        customer: { identifiers, ...(name === undefined ? {} : { name }) },
        outcome: status,
        attributes: attributesOf({
          durationSeconds: isFinal ? durationSeconds : undefined,
          sipResponseCode: countOf(get('SipResponseCode')),
          callerAttestation: get('StirVerstat'),
        }),
      }),
    ],
    ignored: [],
  };
};

/** RFC 2822 as Twilio writes it: `Mon, 02 Mar 2026 10:00:07 +0000`. */
const readTimestampMs = (text: string | undefined): number | undefined => {
  if (
    text === undefined ||
    !/^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:[+-]\d{4}|GMT|UTC)$/.test(text)
  )
    return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
};
