import type { ErasedIdentifier } from './erasable-customers.port.js';

/** Shorter values stand for anything. */
const SHORTEST = 4;
/** Digits of a phone number that tell one from another, whatever stands before them. */
const TELLING_DIGITS = 8;
/** A provider's own id, behind `telegram:` or `messenger:<page>:`; shorter ones stand for anything. */
const PROVIDER_ID = /:([^:]{8,})$/;
const PHONE_LIKE = /\+?\d[\d\s()./-]{5,24}\d/g;
const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

/**
 * Whether a text names somebody by one of these identifiers: as a word of its own in any case, phone numbers in any
 * spelling, people of a social network also as the network itself writes their ids. What is encoded (an attachment, a body in base64) is not looked into.
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
  return (text) => {
    if (word?.test(text)) return true;
    if (phones.length === 0) return false;
    return [...text.matchAll(PHONE_LIKE)].some(([found]) => {
      const digits = found.replace(/\D/g, '');
      return phones.some((phone) => digits.endsWith(phone));
    });
  };
};
