import { LruMap } from './lru.js';

/** An instant in UTC as ISO 8601 with milliseconds: `2025-03-02T09:15:29.140Z`. */
export type Instant = string;

// Date and time with a zone: RFC 3339, plus the offset without colon that some PBXs write.
const zoned =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))$/;

// The form in which this hub writes instants, and most senders too. The engine takes a 30 February for the 2 March, so
// the ends of months are looked at piece by piece, as are 24:00 and leap seconds.
const written = /^\d{4}-\d\d-(?:[01]\d|2[0-8])T(?!24)\d\d:\d\d:(?!60)\d\d\.\d{3}Z$/;
const EARLIEST_MS = Date.UTC(1900, 0);
const LATEST_MS = Date.UTC(2201, 0);

/**
 * Epoch milliseconds of an ISO 8601 date-time that carries a zone, or undefined: a text without a zone names no
 * instant. Fractions beyond milliseconds are cut. Years 1900 to 2200.
 */
export const parseInstantMs = (text: string): number | undefined => {
  if (written.test(text)) {
    const ms = Date.parse(text);
    if (ms >= EARLIEST_MS && ms < LATEST_MS) return ms;
  }
  const match = zoned.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '0', sign, offsetHours, offsetMinutes] = match;
  const [y, mo, d, h, mi, s] = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  if (y < 1900 || y > 2200 || mo < 1 || mo > 12 || d < 1 || h > 23 || mi > 59 || s > 60) return undefined;
  if (d > new Date(Date.UTC(y, mo, 0)).getUTCDate()) return undefined;
  const local = Date.UTC(y, mo - 1, d, h, mi, Math.min(s, 59), Number(fraction.padEnd(3, '0').slice(0, 3)));
  if (!sign) return local;
  const [oh, om] = [Number(offsetHours), Number(offsetMinutes)];
  if (oh > 23 || om > 59) return undefined;
  return local - (sign === '-' ? -1 : 1) * (oh * 60 + om) * 60_000;
};

/** The instant of a text that `parseInstantMs` read as these milliseconds. */
export const instantOf = (text: string, epochMs: number): Instant => (written.test(text) ? text : toInstant(epochMs));

const DAY_MS = 24 * 60 * 60 * 1000;
const KEPT_DAYS = 1000;
const days = new LruMap<number, string>(KEPT_DAYS);
const twoDigits = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const threeDigits = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));

/**
 * The instant of whole epoch milliseconds, as `Date` writes it. A timeline page has a hundred, and a `Date` for each is
 * an eighth of its time: the text of a day is kept, and the time of day is put behind it.
 */
export const toInstant = (epochMs: number): Instant => {
  const day = Math.floor(epochMs / DAY_MS);
  let date = days.get(day);
  if (date === undefined) {
    date = new Date(day * DAY_MS).toISOString().slice(0, -'00:00:00.000Z'.length);
    days.set(day, date);
  }
  const ms = Math.trunc(epochMs - day * DAY_MS);
  const s = Math.floor(ms / 1000);
  const min = Math.floor(s / 60);
  return `${date}${twoDigits[Math.floor(min / 60)]}:${twoDigits[min % 60]}:${twoDigits[s % 60]}.${threeDigits[ms % 1000]}Z`;
};

/** Epoch milliseconds of an instant this hub wrote. */
export const instantMs = (instant: Instant): number => Date.parse(instant);
