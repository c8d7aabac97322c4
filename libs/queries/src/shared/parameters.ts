import { DIRECTIONS, ENTRY_KINDS, parseInstantMs } from '#libs/kernel';
import { invalidQuery, type PageBounds } from './cursor.js';

export type RawQuery = Readonly<Record<string, string | string[] | undefined>>;

/** Refuses parameters that a question does not have: a misspelt filter must not be taken for no filter. */
export const onlyParameters = (query: RawQuery, allowed: readonly string[]): void => {
  for (const name of Object.keys(query))
    if (!allowed.includes(name))
      throw invalidQuery(name, 'is not a parameter here', `allowed are ${allowed.join(', ')}`);
};

export const single = (query: RawQuery, name: string): string | undefined => {
  const value = query[name];
  if (Array.isArray(value)) throw invalidQuery(name, 'is given more than once', 'give it once');
  return value === '' ? undefined : value;
};

/** Values of a repeated or comma-separated parameter. */
export const several = (query: RawQuery, name: string): string[] | undefined => {
  const value = query[name];
  if (value === undefined) return undefined;
  const values = (Array.isArray(value) ? value : [value]).flatMap((v) => v.split(',')).filter((v) => v !== '');
  if (values.length > 20) throw invalidQuery(name, `has ${values.length} values`, 'at most 20 are allowed');
  return values.length > 0 ? values : undefined;
};

export const oneOf = (query: RawQuery, name: string, allowed: readonly string[]): string[] | undefined => {
  const values = several(query, name);
  const wrong = values?.find((v) => !allowed.includes(v));
  if (wrong !== undefined)
    throw invalidQuery(name, 'has a value that does not exist', `allowed are ${allowed.join(', ')}`);
  return values;
};

export const kinds = (query: RawQuery): string[] | undefined => oneOf(query, 'kind', ENTRY_KINDS);
export const directions = (query: RawQuery): string[] | undefined => oneOf(query, 'direction', DIRECTIONS);

export const whole = (query: RawQuery, name: string, min: number, max: number): number | undefined => {
  const text = single(query, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || value < min || value > max)
    throw invalidQuery(name, 'is out of bounds or no whole number', `${min} to ${max} is allowed`);
  return value;
};

/** An instant that may be given by either of two names. */
export const eitherInstant = (query: RawQuery, name: string, otherName: string): number | undefined => {
  const [one, other] = [instant(query, name), instant(query, otherName)];
  if (one !== undefined && other !== undefined)
    throw invalidQuery(otherName, `stands beside ${name}`, 'give one of them');
  return one ?? other;
};

export const instant = (query: RawQuery, name: string): number | undefined => {
  const text = single(query, name);
  if (text === undefined) return undefined;
  // A plus sign in a query string arrives as a space.
  const ms = parseInstantMs(text.replace(/ (\d{2}:?\d{2})$/, '+$1'));
  if (ms === undefined)
    throw invalidQuery(name, 'is no instant', 'ISO 8601 with zone is allowed, for example 2025-03-02T09:15:00Z');
  return ms;
};

const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;

/** Which page is asked for by `limit`, `before` and `after`. */
export const pageBounds = (query: RawQuery): PageBounds => {
  const [before, after] = [single(query, 'before'), single(query, 'after')];
  if (before !== undefined && after !== undefined)
    throw invalidQuery('after', 'stands beside before', 'give one of them');
  return {
    limit: whole(query, 'limit', 1, MAX_PAGE) ?? DEFAULT_PAGE,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  };
};
