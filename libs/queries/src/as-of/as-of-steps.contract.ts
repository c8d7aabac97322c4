import fc from 'fast-check';
import { CONVERSATIONS, PEOPLE } from './as-of-people.contract.js';

const LINK_EVENTS = ['IdentitiesLinked', 'LinkProposed', 'LinkConfirmed', 'LinkRejected', 'LinkRetracted'] as const;

/** What a contact says. */
export interface Said {
  anchor: number;
  others: readonly number[];
  verified: boolean;
  name?: string;
  minute: number;
  conversation: number;
  channel: string;
  direction: 'inbound' | 'outbound';
  kind: 'message' | 'call';
}

/** What happens next, after a wait. */
export type Step = { ms: number } & (
  | { type: 'contact'; said: Said; elsewhere: boolean }
  | { type: 'correct'; which: number; said: Said }
  | { type: 'write'; note: boolean; conversation: number; due?: number }
  | { type: 'end'; which: number; kept: boolean; reason?: string }
  | {
      type: 'profile';
      number: number;
      people: readonly number[];
      name?: string;
      minute?: number;
      consents?: Record<string, boolean>;
    }
  | { type: 'consent'; who: number; purpose: string; channel?: string; granted: boolean; lastsMs?: number }
  | { type: 'preference'; who: number; purpose?: string; channel: string; withdrawn: boolean; lastsMs?: number }
  | { type: 'link'; event: (typeof LINK_EVENTS)[number]; a: number; b: number; agent: boolean }
  | { type: 'divide'; who: number; days: readonly number[] }
);

const person = fc.nat(PEOPLE - 1);
const said: fc.Arbitrary<Said> = fc.record(
  {
    anchor: person,
    others: fc.array(person, { maxLength: 2 }),
    verified: fc.boolean(),
    name: fc.constantFrom('Ana', 'Bo'),
    minute: fc.nat(12).map((n) => n * 700),
    conversation: fc.nat(CONVERSATIONS - 1),
    channel: fc.constantFrom('email', 'phone'),
    direction: fc.constantFrom('inbound', 'outbound'),
    kind: fc.constantFrom('message', 'call'),
  },
  { requiredKeys: ['anchor', 'others', 'verified', 'minute', 'conversation', 'channel', 'direction', 'kind'] },
);
const ms = fc.integer({ min: -20, max: 100 });
/** How long a statement holds: some are over within the steps that follow. */
const lastsMs = fc.integer({ min: 1, max: 400 });
const contactStep = fc.record({ ms, type: fc.constant('contact'), said, elsewhere: fc.nat(9).map((n) => n === 0) });
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: contactStep },
  { weight: 2, arbitrary: fc.record({ ms, type: fc.constant('correct'), which: fc.nat(), said }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ms,
      type: fc.constant('divide'),
      who: person,
      days: fc.uniqueArray(fc.nat(6), { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('profile'),
        number: fc.nat(1),
        people: fc.array(person, { maxLength: 2 }),
        name: fc.constantFrom('Ana Ruiz', 'Bo Li'),
        minute: fc.nat(12),
        consents: fc.constantFrom<Record<string, boolean>>({ marketing: true }, { marketing: false, surveys: true }),
      },
      { requiredKeys: ['ms', 'type', 'number', 'people'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('write'),
        note: fc.boolean(),
        conversation: fc.nat(CONVERSATIONS - 1),
        due: fc.nat(12),
      },
      { requiredKeys: ['ms', 'type', 'note', 'conversation'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('consent'),
        who: fc.nat(8),
        purpose: fc.constantFrom('marketing', 'surveys'),
        channel: fc.constantFrom('email', 'sms'),
        granted: fc.boolean(),
        lastsMs,
      },
      { requiredKeys: ['ms', 'type', 'who', 'purpose', 'granted'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      { ms, type: fc.constant('end'), which: fc.nat(), kept: fc.boolean(), reason: fc.constant('done') },
      { requiredKeys: ['ms', 'type', 'which', 'kept'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('preference'),
        who: fc.nat(8),
        purpose: fc.constant('orders'),
        channel: fc.constantFrom('email', 'chat'),
        withdrawn: fc.boolean(),
        lastsMs,
      },
      { requiredKeys: ['ms', 'type', 'who', 'channel', 'withdrawn'] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ms,
      type: fc.constant('link'),
      event: fc.constantFrom('IdentitiesLinked', ...LINK_EVENTS),
      a: fc.nat(8),
      b: fc.nat(8),
      agent: fc.boolean(),
    }),
  },
);
