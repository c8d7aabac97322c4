import { specFor } from '#libs/testing';
import { consentDecider } from './consent.decider.js';
import type { ConsentEvent, ConsentRecorded, PreferenceStated } from './consent.events.js';

const { given } = specFor(consentDecider);
const said = { identity: 'a-one', statedAt: '2025-03-02T09:15:00.000Z', by: 'kim' };
const later = { statedAt: '2025-03-03T09:15:00.000Z', by: 'lou' };
const consent = (over: Partial<ConsentRecorded['data']> = {}): ConsentRecorded => ({
  type: 'ConsentRecorded',
  data: { ...said, purpose: 'marketing', granted: true, evidence: 'said so on the phone', ...over },
});
const preference = (over: Partial<PreferenceStated['data']> = {}): PreferenceStated => ({
  type: 'PreferenceStated',
  data: { ...said, channel: 'email', ...over },
});
const record = (over: Partial<ConsentRecorded['data']> = {}) => ({
  type: 'RecordConsent' as const,
  statement: consent(over).data,
});
const state = (over: Partial<PreferenceStated['data']> = {}) => ({
  type: 'StatePreference' as const,
  statement: preference(over).data,
});

describe('recording a consent', () => {
  it('keeps what was said, by whom, when and on what evidence', () => given([]).when(record()).thenEvents([consent()]));

  it('stays quiet when the same is said again, by whomever', () => {
    given([consent()]).when(record(later)).thenNothing();
    given([consent({ granted: false }), consent()])
      .when(record())
      .thenNothing();
  });

  it.each([
    { granted: false },
    { evidence: 'signed the form' },
    { until: '2026-01-01T00:00:00.000Z' },
    { channel: 'sms' },
    { purpose: 'surveys' },
  ])('keeps what differs: %j', (over) =>
    given([consent()])
      .when(record(over))
      .thenEvents([consent(over)]),
  );

  it('hears again what was erased', () => {
    const { evidence: _, ...left } = consent({ granted: false, erased: true }).data;
    const erased = { type: 'ConsentRecorded', data: left } as ConsentEvent;
    given([erased])
      .when(record({ granted: false }))
      .thenEvents([consent({ granted: false })]);
  });
});

describe('stating a preference', () => {
  it('keeps it, for a purpose or in general', () => {
    given([]).when(state()).thenEvents([preference()]);
    given([preference()])
      .when(state({ purpose: 'orders', channel: 'sms' }))
      .thenEvents([preference({ purpose: 'orders', channel: 'sms' })]);
  });

  it('stays quiet when the same is said again, and not when another channel came between', () => {
    given([preference()]).when(state(later)).thenNothing();
    given([preference(), preference({ channel: 'sms' })])
      .when(state())
      .thenEvents([preference()]);
  });

  it('takes back the one that stands, and no other', () => {
    given([preference()])
      .when(state({ withdrawn: true }))
      .thenEvents([preference({ withdrawn: true })]);
    given([])
      .when(state({ withdrawn: true }))
      .thenNothing();
    given([preference({ channel: 'sms' })])
      .when(state({ withdrawn: true }))
      .thenNothing();
    given([preference(), preference({ withdrawn: true })])
      .when(state({ withdrawn: true }))
      .thenNothing();
    given([preference(), preference({ withdrawn: true })])
      .when(state())
      .thenEvents([preference()]);
  });

  it('hears again what was erased', () =>
    given([preference({ erased: true })])
      .when(state())
      .thenEvents([preference()]));
});
