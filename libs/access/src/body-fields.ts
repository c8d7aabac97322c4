import { instantOf, parseInstantMs, toInstant, type Instant } from '#libs/kernel';
import { readJsonBody } from './json-body.js';
import { ProblemError, type FieldError } from './problem.js';

/** What one field of a small body must be, said once for the check and for the caller. */
export interface BodyField<T> {
  /** The value as it is taken; undefined where it is not acceptable. */
  read(value: unknown): T | undefined;
  /** What would be right. */
  allowed: string;
  /** Whether the field may be missing; `null` counts as missing. */
  optional: boolean;
}

type Fields = Readonly<Record<string, BodyField<unknown>>>;
type ReadBody<F extends Fields> = { [Name in keyof F]: F[Name] extends BodyField<infer T> ? T : never };

/** NUL and halves of surrogate pairs are no text. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && !value.includes('\0');

/** A text of 1 to `max` characters once white space around it is gone. */
export const textField = (max: number): BodyField<string> => ({
  read: (value) => {
    if (!isText(value)) return undefined;
    const text = value.trim();
    return text.length >= 1 && text.length <= max ? text : undefined;
  },
  allowed: `text of 1 to ${max} characters`,
  optional: false,
});

/** Exactly two texts, each as `textField` takes them. */
export const textPairField = (max: number, what: string): BodyField<readonly [string, string]> => {
  const text = textField(max);
  return {
    read: (value) => {
      if (!Array.isArray(value) || value.length !== 2) return undefined;
      const [one, other] = value.map((item) => text.read(item));
      return one === undefined || other === undefined ? undefined : [one, other];
    },
    allowed: `list of two: ${what}`,
    optional: false,
  };
};

/** An instant with a zone, taken in UTC. */
export const instantField: BodyField<Instant> = {
  read: (value) => {
    const ms = typeof value === 'string' ? parseInstantMs(value) : undefined;
    return ms === undefined ? undefined : toInstant(ms);
  },
  allowed: 'ISO 8601 with zone, for example 2025-03-02T09:15:00Z',
  optional: false,
};

/** A text of one form, as it stands. */
export const formField = (form: RegExp, allowed: string): BodyField<string> => ({
  read: (value) => (typeof value === 'string' && form.test(value) ? value : undefined),
  allowed,
  optional: false,
});

export const booleanField: BodyField<boolean> = {
  read: (value) => (typeof value === 'boolean' ? value : undefined),
  allowed: 'true or false',
  optional: false,
};

/** An instant in any zone, later than `afterMs` (epoch milliseconds). */
export const instantAfterField = (afterMs: number): BodyField<Instant> => ({
  read: (value) => {
    const ms = typeof value === 'string' ? parseInstantMs(value) : undefined;
    return ms !== undefined && ms > afterMs ? instantOf(value as string, ms) : undefined;
  },
  allowed: 'instant to come, ISO 8601 with zone, for example 2031-03-02T09:15:00Z',
  optional: false,
});

export const optionalField = <T>(field: BodyField<T>): BodyField<T | undefined> => ({ ...field, optional: true });

/**
 * The fields of a JSON object in a body that is too small to be worth a compiled check. Where every field is optional, no
 * body at all is an empty one.
 *
 * @param code of the refusal, `<ROOM>.INVALID`.
 * @throws HubError `REQUEST.NOT_JSON`; `code` (422) with every wrong, missing and unknown field; no value is repeated.
 */
export const readBodyFields = <F extends Fields>(body: unknown, fields: F, code: string): ReadBody<F> => {
  const names = Object.keys(fields);
  const mayBeEmpty = names.every((name) => fields[name]!.optional);
  const isEmpty = body === undefined || body === null || (Buffer.isBuffer(body) && body.length === 0);
  const given = isEmpty && mayBeEmpty ? {} : readJsonBody(body);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refusal(code, [{ path: '$', message: 'is no object', allowed: `object of ${names.join(', ')}` }]);
  const errors: FieldError[] = Object.keys(given)
    .filter((name) => !Object.hasOwn(fields, name))
    .map((name) => ({ path: `$.${name.slice(0, 40)}`, message: 'is no field here', allowed: names.join(', ') }));
  const read: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined;
    const isMissing = value === undefined || value === null;
    if (isMissing && field.optional) continue;
    read[name] = isMissing ? undefined : field.read(value);
    if (read[name] === undefined)
      errors.push({
        path: `$.${name}`,
        message: isMissing ? 'is missing' : 'has another form',
        allowed: field.allowed,
      });
  }
  if (errors.length > 0) throw refusal(code, errors.slice(0, MOST_ERRORS));
  return read as ReadBody<F>;
};

const MOST_ERRORS = 10;

/** A body that cannot be used, field by field. */
export const refusal = (code: string, errors: readonly FieldError[]): ProblemError =>
  new ProblemError(code, errors.map(({ path, message }) => `${path} ${message}`).join('; '), { errors });
