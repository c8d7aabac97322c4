import fc from 'fast-check';
import { instantOf, parseInstantMs, toInstant } from './instant.js';

describe('instants', () => {
  it.each([
    ['2025-03-02T09:15:29.140Z', Date.UTC(2025, 2, 2, 9, 15, 29, 140)],
    ['2025-03-02T10:15:29+01:00', Date.UTC(2025, 2, 2, 9, 15, 29)],
    ['2025-03-02T10:15:29.140+0100', Date.UTC(2025, 2, 2, 9, 15, 29, 140)],
    ['2025-01-06T19:45:00-14:00', Date.UTC(2025, 0, 7, 9, 45)],
    ['2025-03-02 09:15Z', Date.UTC(2025, 2, 2, 9, 15)],
    ['2016-12-31T23:59:60.000Z', Date.UTC(2016, 11, 31, 23, 59, 59)],
    ['2024-02-29T00:00:00.123456789Z', Date.UTC(2024, 1, 29, 0, 0, 0, 123)],
  ])('reads %s', (text, ms) => expect(parseInstantMs(text)).toBe(ms));

  it.each([
    '2025-03-02T09:15:29',
    '2025-02-29T00:00:00Z',
    '2025-02-29T00:00:00.000Z',
    '2025-01-01T24:00:00.000Z',
    '1899-12-31T23:59:59.999Z',
    '2201-01-01T00:00:00.000Z',
    '2025-13-01T00:00:00Z',
    '2025-01-01',
    'yesterday',
    '',
    '1741000000',
  ])('takes %j for no instant', (text) => expect(parseInstantMs(text)).toBeUndefined());

  it.each([
    ['2025-03-02T09:15:29.140Z', '2025-03-02T09:15:29.140Z'],
    ['2025-03-02T10:15:29.14+01:00', '2025-03-02T09:15:29.140Z'],
    ['2016-12-31T23:59:60.000Z', '2016-12-31T23:59:59.000Z'],
  ])('writes %s as %s', (text, instant) => expect(instantOf(text, parseInstantMs(text)!)).toBe(instant));

  it('reads back what it writes', () =>
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1900, 0, 2), max: Date.UTC(2200, 0, 1) }), (ms) => {
        expect(parseInstantMs(toInstant(ms))).toBe(ms);
      }),
    ));

  it('writes what Date writes', () =>
    fc.assert(
      fc.property(fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }), (ms) => {
        expect(toInstant(ms)).toBe(new Date(ms).toISOString());
      }),
    ));

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 9e15])('refuses %d, as Date does', (ms) =>
    expect(() => toInstant(ms)).toThrow(RangeError),
  );
});
