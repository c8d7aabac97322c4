import { isDeeperThan, MAX_JSON_DEPTH } from '#libs/access';
import { HubError, toInstant, type AttributeValue, type Instant } from '#libs/kernel';

/** A vendor's object before anything in it is believed: the names we read, their values unknown. */
export type Lax<T> = { readonly [K in keyof T]?: unknown };

/** The value as an object of the vendor's declared names; undefined for anything else. */
export const fieldsOf = <T>(value: unknown): Lax<T> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Lax<T>) : undefined;

/** The value as a list; empty for anything else. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

// Of the control characters all but tab, line ends and those above ASCII.
const controls = /[^\P{Cc}\t\n\r\u0080-\u009f]/gu;

/** Text as it may be kept: well-formed Unicode without control characters; line ends become `\n`. Not trimmed. */
export const cleanText = (text: string): string => text.toWellFormed().replaceAll('\r\n', '\n').replace(controls, '');

/** A text value with something in it, cleaned; undefined otherwise. */
export const textOf = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined;
  const clean = cleanText(value);
  return clean.trim() === '' ? undefined : clean;
};

/** One line of text (names, subjects, file names): white space collapsed, trimmed, at most 1,000 characters. */
export const lineOf = (value: unknown): string | undefined => {
  const line = textOf(value)?.slice(0, 4000).replace(/\s+/g, ' ').trim().slice(0, 1000).toWellFormed();
  return line === '' ? undefined : line;
};

/**
 * An id as text. Numbers above 2^53 have already lost digits when JSON was read, and two people could share what is
 * left of them: they count as absent.
 */
export const idOf = (value: unknown): string | undefined => {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return lineOf(value);
};

export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** A count given as number or as digits. */
export const countOf = (value: unknown): number | undefined => {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
};

/** Whole seconds from one vendor time to a later one, 0 to 2^32: what orders corrections of one message. */
export const secondsBetween = (earlier: unknown, later: unknown): number => {
  const seconds = Math.trunc((numberOf(later) ?? 0) - (numberOf(earlier) ?? 0));
  return Math.min(Math.max(0, seconds), 2 ** 32);
};

const latestMs = Date.UTC(2200, 0, 1);

/** The instant of epoch milliseconds that a vendor named; undefined outside 1970 to 2199. */
export const instantOfMs = (value: unknown): Instant | undefined =>
  typeof value === 'number' && value >= 0 && value < latestMs ? toInstant(Math.trunc(value)) : undefined;

/** The instant of epoch seconds. */
export const instantOfSeconds = (value: unknown): Instant | undefined =>
  typeof value === 'number' ? instantOfMs(value * 1000) : undefined;

/** Attributes without the absent ones; undefined when none is left. */
export const attributesOf = (
  given: Record<string, AttributeValue | undefined>,
): Record<string, AttributeValue> | undefined => {
  const present = Object.entries(given).filter((e): e is [string, AttributeValue] => e[1] !== undefined && e[1] !== '');
  return present.length === 0 ? undefined : Object.fromEntries(present);
};

/**
 * The JSON value of a body, at most `MAX_JSON_DEPTH` levels deep.
 * @throws HubError `CHANNEL.UNREADABLE`
 */
export const readJson = (body: Buffer): unknown => {
  const text = body.toString('utf8');
  if (isDeeperThan(text, MAX_JSON_DEPTH))
    throw new HubError('CHANNEL.UNREADABLE', `the body is nested deeper than ${MAX_JSON_DEPTH} levels`, {
      facts: { bytes: body.length },
    });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the body, which may hold personal data.
    throw new HubError('CHANNEL.UNREADABLE', 'the body is not JSON', { facts: { bytes: body.length } });
  }
};

/** The JSON object of a body. @throws HubError `CHANNEL.UNREADABLE` */
export const readJsonObject = <T>(body: Buffer): Lax<T> => {
  const fields = fieldsOf<T>(readJson(body));
  if (!fields) throw new HubError('CHANNEL.UNREADABLE', 'the body is JSON but not an object');
  return fields;
};
