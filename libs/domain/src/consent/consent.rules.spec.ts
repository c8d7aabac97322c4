import fc from 'fast-check';
import {
  consentGiven,
  effectiveConsents,
  effectivePreferences,
  type ConsentStatement,
  type PreferenceStatement,
} from './consent.rules.js';

const NOW = 1000;
const PURPOSES = ['marketing', 'surveys'];
const CHANNELS = [undefined, 'email', 'sms'];

const statement = (over: Partial<ConsentStatement> = {}): ConsentStatement => ({
  speaker: 1,
  purpose: 'marketing',
  granted: true,
  position: 1,
  ...over,
});
const answers = (of: readonly ConsentStatement[], atMs = NOW) =>
  effectiveConsents(of, atMs).map(({ channel = 'all', granted }) => `${channel} ${granted ? 'yes' : 'no'}`);

describe('what holds of the consents of a customer', () => {
  it('is the newest word of a speaker, whatever it said before', () => {
    const [yes, no] = [statement(), statement({ granted: false, position: 2 })];
    expect(answers([no, yes])).toEqual(['all no']);
    expect(answers([yes, no, statement({ position: 3 })])).toEqual(['all yes']);
  });

  it('is a denial by any speaker, also an older one', () =>
    expect(answers([statement({ granted: false }), statement({ speaker: 2, position: 2 })])).toEqual(['all no']));

  it('is a denial on every channel before a grant on one, and a denial on one beside a grant on every one', () => {
    const [all, email] = [{ position: 1 }, { channel: 'email', position: 2 }];
    expect(answers([statement({ ...all, granted: false }), statement(email)])).toEqual(['all no']);
    expect(answers([statement(all), statement({ ...email, granted: false })])).toEqual(['all yes', 'email no']);
  });

  it('ends when it was said to end, and brings nothing older back', () => {
    const granted = statement({ untilMs: NOW, position: 2 });
    expect(answers([granted], NOW - 1)).toEqual(['all yes']);
    expect(answers([statement(), granted])).toEqual([]);
    expect(answers([statement({ granted: false, untilMs: NOW }), statement({ speaker: 2 })])).toEqual(['all yes']);
  });

  const statements = fc
    .array(
      fc.record({
        speaker: fc.nat(3),
        purpose: fc.constantFrom(...PURPOSES),
        channel: fc.constantFrom(...CHANNELS),
        granted: fc.boolean(),
        untilMs: fc.constantFrom(undefined, NOW - 1, NOW + 1),
      }),
      { maxLength: 20 },
    )
    .map((list) => list.map((one, index) => ({ ...one, position: index + 1 })));

  it('turns no denial into a grant, however identities join and part', () =>
    fc.assert(
      fc.property(statements, fc.subarray([0, 1, 2, 3]), (said, half) => {
        const parts = [true, false].map((inside) => said.filter(({ speaker }) => half.includes(speaker) === inside));
        const whole = effectiveConsents(said, NOW);
        for (const purpose of PURPOSES)
          for (const channel of CHANNELS) {
            const [one, other] = parts.map((part) => consentGiven(effectiveConsents(part, NOW), purpose, channel));
            const joined = consentGiven(whole, purpose, channel);
            expect(joined).toBe(one === false || other === false ? false : (one ?? other));
          }
      }),
    ));

  it('does not hang on the order in which it is read', () =>
    fc.assert(
      fc.property(statements, fc.infiniteStream(fc.nat()), (said, weights) => {
        const shuffled = said.map((one) => [weights.next().value as number, one] as const);
        const sorted = shuffled.toSorted(([a], [b]) => a - b).map(([, one]) => one);
        expect(effectiveConsents(sorted, NOW)).toEqual(effectiveConsents(said, NOW));
        expect(effectivePreferences(sorted, NOW)).toEqual(effectivePreferences(said, NOW));
      }),
    ));
});

describe('the preferences of a customer', () => {
  const wish = (over: Partial<PreferenceStatement> = {}): PreferenceStatement => ({
    channel: 'email',
    position: 1,
    ...over,
  });
  const channels = (...said: PreferenceStatement[]) => effectivePreferences(said, NOW).map(({ channel }) => channel);

  it('are the newest word on each purpose, the general one first', () => {
    const orders = { purpose: 'orders', channel: 'sms' };
    expect(channels(wish(orders), wish(), wish({ channel: 'chat', position: 2 }))).toEqual(['chat', 'sms']);
  });

  it('are gone when taken back or over', () => {
    expect(channels(wish(), wish({ channel: undefined, position: 2 }))).toEqual([]);
    expect(channels(wish({ untilMs: NOW }))).toEqual([]);
    expect(channels(wish({ untilMs: NOW + 1 }))).toEqual(['email']);
  });
});
