import fc from 'fast-check';
import { codeOf, messageOf } from '#libs/kernel';
import { filterFacts, matches, parseHistoryFilter, type HistoryFilterText } from './history-filter.js';
import { anyEvents, rawEvent, sampleEvent, sampleId } from './sample-log.contract.js';

const refusal = (text: HistoryFilterText, names = {}): string => {
  try {
    parseHistoryFilter(text, names);
  } catch (error) {
    expect(codeOf(error)).toBe('HISTORY.INVALID');
    return messageOf(error);
  }
  throw new Error('was not refused');
};

describe('reading a filter', () => {
  it('takes instants, dates, positions and lists', () => {
    expect(
      parseHistoryFilter({
        from: '2025-03-02',
        to: '2025-03-02T10:00:00+01:00',
        fromPosition: '7',
        toPosition: '70',
        types: 'IdentitiesLinked, InteractionRecorded',
        channels: 'phone,email,phone',
        tenant: 'acme',
        customer: sampleId(1),
      }),
    ).toEqual({
      fromMs: Date.UTC(2025, 2, 2),
      toMs: Date.UTC(2025, 2, 2, 9),
      fromPosition: 7,
      toPosition: 70,
      types: ['IdentitiesLinked', 'InteractionRecorded'],
      channels: ['email', 'phone'],
      tenant: 'acme',
      customer: new Set([sampleId(1)]),
    });
  });

  it('takes nothing for everything', () => expect(parseHistoryFilter({ from: '', types: ' ' })).toEqual({}));

  it.each<[string, HistoryFilterText, string]>([
    [
      'no instant',
      { from: 'yesterday' },
      'from: is not an instant; write 2025-03-02T09:15:00Z, or 2025-03-02 for its midnight in UTC',
    ],
    ['no zone', { to: '2025-03-02 09:15' }, 'to: has no time zone; add Z or an offset: 2025-03-02T09:15Z'],
    ['no number', { fromPosition: '-1' }, 'fromPosition: is not a whole number of at least 0; write for example 99'],
    [
      'no type',
      { types: 'InteractionRecorded,' },
      'types: entry 2 is not the name of an event type; write a comma-separated list such as InteractionRecorded,IdentitiesLinked',
    ],
    [
      'no channel',
      { channels: 'E-Mail' },
      'channels: entry 1 is not the name of a channel; write a comma-separated list such as email,phone',
    ],
    ['no id', { customer: 'ana' }, 'customer: entry 1 is not an id; write UUIDs, comma-separated'],
    [
      'an empty time',
      { from: '2025-03-02', to: '2025-03-01' },
      'to: 2025-03-01T00:00:00.000Z is not after 2025-03-02T00:00:00.000Z; choose a later instant than from',
    ],
    ['an empty span', { fromPosition: '9', toPosition: '8' }, 'toPosition: 8 is below 9; choose at least fromPosition'],
  ])('refuses %s, naming option, problem and fix', (_case, text, message) => expect(refusal(text)).toBe(message));

  it("names options as the caller's users know them", () =>
    expect(refusal({ fromPosition: 'x' }, { fromPosition: '--position' })).toMatch(/^--position: /));

  it.each(['from', 'toPosition', 'types', 'customer'] as const)('says no value of %s back', (option) =>
    expect(refusal({ [option]: 'ana@example.com' })).not.toContain('ana'),
  );
});

describe('matching', () => {
  it('includes from and excludes to, and includes both positions', () => {
    const event = sampleEvent(5);
    expect(matches(event, { fromMs: event.recordedAtMs, fromPosition: 5, toPosition: 5 })).toBe(true);
    expect(matches(event, { toMs: event.recordedAtMs })).toBe(false);
    expect(matches(event, { fromPosition: 6 })).toBe(false);
  });

  it('knows the channel of a contact only as its channel', () => {
    const mail = sampleEvent(1, { data: { channel: 'email', attributes: { channel: 'phone' } } });
    expect(matches(mail, { channels: ['email'] })).toBe(true);
    expect(matches(mail, { channels: ['phone'] })).toBe(false);
    expect(matches(sampleEvent(2, { data: {} }), { channels: ['email'] })).toBe(false);
  });

  it('finds a customer in streams, anchors, identities and links', () => {
    const customer = new Set([sampleId(7)]);
    expect(matches(sampleEvent(1, { stream: `identity-${sampleId(7)}`, data: {} }), { customer })).toBe(true);
    expect(matches(sampleEvent(1, { data: { anchor: sampleId(7) } }), { customer })).toBe(true);
    expect(matches(sampleEvent(1, { data: { identities: [{ identity: sampleId(7) }] } }), { customer })).toBe(true);
    expect(matches(sampleEvent(1, { data: { a: sampleId(6), b: sampleId(7) } }), { customer })).toBe(true);
    expect(matches(sampleEvent(1, { data: { text: `about ${sampleId(7)}` } }), { customer })).toBe(false);
  });

  it('answers alike for raw and parsed data', () =>
    fc.assert(
      fc.property(anyEvents, fc.constantFrom<'customer' | 'channels'>('customer', 'channels'), (events, by) => {
        const filter = by === 'customer' ? { customer: new Set([sampleId(1), sampleId(2)]) } : { channels: ['email'] };
        for (const event of events) {
          const raw = rawEvent(event);
          expect(matches(raw, filter)).toBe(matches({ ...event, data: JSON.parse(raw.json) as object }, filter));
        }
      }),
    ));
});

it('tells equal filters by equal facts', () =>
  expect(filterFacts({ types: ['B', 'A'], customer: new Set([sampleId(2), sampleId(1)]) })).toEqual(
    filterFacts({ customer: new Set([sampleId(1), sampleId(2)]), types: ['A', 'B', 'A'] }),
  ));
