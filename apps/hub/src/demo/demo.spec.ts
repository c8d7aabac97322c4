import { CHANNELS, DIRECTIONS, IDENTIFIER_TYPES, INTERACTION_KINDS, parseInstantMs } from '#libs/kernel';
import {
  SHOWCASE_IDENTIFIER,
  demoInteractions,
  demoProfiles,
  demoTrickle,
  seeded,
  type DemoInteraction,
} from './index.js';

const now = new Date('2025-11-21T16:40:00.000Z');
const year = demoInteractions(now);
const DAY = 86_400_000;
const placeOf = (i: DemoInteraction) => `${i.channel} ${i.account} ${i.externalId} ${i.revision ?? 1}`;
const momentOf = (i: DemoInteraction) => parseInstantMs(i.occurredAt) ?? Number.NaN;

// The newest contact heard of before each one.
let newest = 0;
const heardBefore = year.map((item) => {
  const before = newest;
  newest = Math.max(newest, momentOf(item));
  return before;
});

const threads = new Map<string, DemoInteraction[]>();
for (const item of year) {
  if (item.threadId) threads.set(item.threadId, [...(threads.get(item.threadId) ?? []), item]);
}

describe('the demo year', () => {
  it('is the same every time', () => {
    expect(demoInteractions(now)).toEqual(year);
    expect(demoProfiles()).toEqual(demoProfiles());
  });

  it('is large enough to look around in, and small enough to load at once', () => {
    expect(year.length).toBeGreaterThanOrEqual(700);
    expect(year.length).toBeLessThanOrEqual(1000);
    expect(demoProfiles().length).toBeGreaterThanOrEqual(24);
  });

  it.each([now, new Date('2026-03-01T00:00:01.000Z')])('holds only what the hub takes, at %s', (moment) => {
    const refused = demoInteractions(moment).filter((item) => {
      const [startMs, endMs] = [momentOf(item), parseInstantMs(item.endedAt ?? item.occurredAt) ?? Number.NaN];
      return !(
        [...CHANNELS].includes(item.channel as (typeof CHANNELS)[number]) &&
        INTERACTION_KINDS.includes(item.kind) &&
        DIRECTIONS.includes(item.direction) &&
        startMs > moment.getTime() - 366 * DAY &&
        startMs <= endMs &&
        endMs <= moment.getTime() &&
        (item.customer?.identifiers ?? []).every(
          ({ type, value }) =>
            [...IDENTIFIER_TYPES].includes(type as (typeof IDENTIFIER_TYPES)[number]) && value !== '',
        )
      );
    });
    expect(refused).toEqual([]);
  });

  it('leaves no slot or choice in its texts', () => {
    const texts = year.flatMap(({ text = '', subject = '' }) => [text, subject]);
    expect(texts.filter((text) => /[{}<>|]|undefined/.test(text))).toEqual([]);
  });

  it('names each contact once', () => {
    expect(new Set(year.map(placeOf)).size).toBe(year.length);
  });

  it('uses nine channels in two languages', () => {
    const channels = new Set(year.map(({ channel }) => channel));
    expect([...channels].toSorted()).toEqual([
      'chat',
      'commerce',
      'email',
      'letter',
      'phone',
      'social',
      'store',
      'web',
      'whatsapp',
    ]);
    for (const language of ['en', 'es'])
      expect(year.filter((item) => item.language === language).length).toBeGreaterThan(200);
  });

  it('tells every thread in order, on one channel and with one customer', () => {
    for (const items of threads.values()) {
      const moments = items.map(momentOf);
      expect(moments).toEqual(moments.toSorted((a, b) => a - b));
      expect(
        new Set(items.map(({ channel, account, customer }) => `${channel} ${account} ${customer?.name}`)).size,
      ).toBe(1);
    }
  });

  it('promises only ahead of time', () => {
    const promises = year.filter(({ attributes }) => attributes?.promised === true);
    expect(promises.length).toBeGreaterThan(20);
    for (const item of promises)
      expect(parseInstantMs(String(item.attributes?.promisedUntil))).toBeGreaterThan(momentOf(item));
  });

  it('has a correction, a letter that comes weeks late, a withheld number, and two people on one landline', () => {
    expect(year.some(({ revision }) => revision === 2)).toBe(true);
    const late = year.filter((item, i) => (heardBefore[i] ?? 0) - momentOf(item) > 20 * DAY);
    expect(late.map(({ channel }) => channel)).toEqual(['letter']);
    expect(year.some(({ customer }) => customer?.identifiers === undefined)).toBe(true);
    const onLandline = year.filter(({ customer }) => customer?.identifiers?.[0]?.value === '+34910000177');
    expect(new Set(onLandline.map(({ customer }) => customer?.name)).size).toBe(2);
  });

  it('knows the landline from two CRM records, and one customer from two', () => {
    const holding = (value: string) =>
      demoProfiles().filter(({ identifiers }) => identifiers?.some((one) => one.value === value));
    expect(holding('+34910000177').map(({ givenName }) => givenName)).toEqual(['Lucía', 'Tomás']);
    expect(holding('grace.whitfield@mail.example')).toHaveLength(2);
  });

  it('uses invented addresses only', () => {
    const identifiers = [...year.flatMap(({ customer }) => customer?.identifiers ?? []), SHOWCASE_IDENTIFIER];
    const phone = /^(\+34600000\d{3}|\+34910000\d{3}|\+51900000\d{3}|\+151255501\d\d)$/;
    const real = identifiers.filter(
      ({ type, value }) =>
        (type === 'email' && !value.endsWith('.example')) || (type === 'phone' && !phone.test(value)),
    );
    expect(real).toEqual([]);
  });

  it('gives the showcase customer a long thread through nine channels, open since within the hour', () => {
    const hers = year.filter(({ customer }) => customer?.name === 'Lucía Ferrer Ortega');
    expect(hers.length).toBeGreaterThan(50);
    expect(new Set(hers.map(({ channel }) => channel)).size).toBe(9);
    expect(
      hers.some(({ customer }) => customer?.identifiers?.some(({ value }) => value === SHOWCASE_IDENTIFIER.value)),
    ).toBe(true);
    expect(now.getTime() - momentOf(hers.at(-1)!)).toBeLessThan(DAY / 24);
  });
});

describe('the demo trickle', () => {
  it('gives a new plausible contact with each call', () => {
    const random = seeded(7);
    const items = Array.from({ length: 300 }, () => demoTrickle(random, now));
    expect(new Set(items.map(placeOf)).size).toBe(300);
    for (const item of items) {
      expect(item.occurredAt).toBe(now.toISOString());
      expect(item.text).not.toMatch(/[{}<>|]|undefined/);
      expect(item.customer?.identifiers).not.toHaveLength(0);
    }
  });
});
