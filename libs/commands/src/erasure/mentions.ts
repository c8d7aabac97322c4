import type { ErasedIdentifier } from './erasable-customers.port.js';

/** Shorter values stand for anything. */
const SHORTEST = 4;
/** Digits of a phone number that tell one from another, whatever stands before them. */
const TELLING_DIGITS = 8;
/** A provider's own id, behind `telegram:` or `messenger:<page>:`; shorter ones stand for anything. */
const PROVIDER_ID = /:([^:]{8,})$/;
const PHONE_LIKE = /\+?\d[\d\s()./-]{5,24}\d/g;
/** As in URLs and forms, and as in JSON. */
const ESCAPED = /(?:%[0-9a-f]{2})+|\\u[0-9a-f]{4}/gi;
const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

/**
 * Whether a text names somebody by one of these identifiers: as a word of its own in any case, phone numbers in any
 * spelling, people of a social network also as the network itself writes their ids; escaped as in forms and JSON too.
 * What is encoded otherwise (an attachment, a body in base64) is not looked into.
 */
export const mentions = (identifiers: readonly ErasedIdentifier[]): ((text: string) => boolean) => {
  const phones = identifiers
    .filter(({ type }) => type === 'phone')
    .map(({ value }) => value.replace(/\D/g, '').slice(-TELLING_DIGITS))
    .filter(({ length }) => length === TELLING_DIGITS);
  const words = identifiers
    .flatMap(({ type, value }) => [value, ...(type === 'social' ? (PROVIDER_ID.exec(value)?.slice(1) ?? []) : [])])
    .filter(({ length }) => length >= SHORTEST);
  const word =
    words.length > 0
      ? new RegExp(
          `(?<![\\p{L}\\p{N}])(?:${words.map((w) => w.replace(SPECIAL, '\\$&')).join('|')})(?![\\p{L}\\p{N}])`,
          'iu',
        )
      : undefined;
  const isNamed = (text: string): boolean =>
    word?.test(text) === true ||
    (phones.length > 0 &&
      [...text.matchAll(PHONE_LIKE)].some(([found]) => {
        const digits = found.replace(/\D/g, '');
        return phones.some((phone) => digits.endsWith(phone));
      }));
  return (text) => isNamed(text) || isNamed(text.replace(ESCAPED, unescaped));
};

const unescaped = (escaped: string): string =>
  escaped.startsWith('%')
    ? Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8')
    : String.fromCharCode(Number.parseInt(escaped.slice(2), 16));
