import type { ApiPropertyOptions } from '@nestjs/swagger';
import { LIMITS, parseInstantMs } from '#libs/kernel';
import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { IsOptional, ValidateBy, ValidateNested } from '#libs/kernel/late-validator.js';
import type { LateDecorator } from '#libs/kernel/late-decorators.js';

/** A class whose fields are declared with `@Field` and `@OptionalField`. */
export type Dto<T extends object = object> = new () => T;

/** What a value must be, said once: for class-validator, for the compiled check, for the caller and for the API document. */
export interface Kind {
  /** JSON schema of what `test` accepts; `later` tells what it cannot say. */
  schema: Record<string, unknown>;
  test: (value: unknown) => boolean;
  /** What is wrong with a value that fails `test`; repeats no personal content. */
  says: (value: unknown) => string;
  /** What would be right. */
  allowed: string;
  /** Whether `test` refuses more than `schema`; the compiled check then runs it too. @default false */
  later?: boolean;
  /** Class of the value, or of each of its items. */
  nested?: () => Dto;
  api?: Record<string, unknown>;
}

const holdsKind = (kind: Kind) =>
  ValidateBy({
    name: 'kind',
    constraints: [kind],
    validator: { validate: (value) => kind.test(value), defaultMessage: (at) => kind.says(at?.value) },
  });

const documented = (kind: Kind, description: string) =>
  ({ ...(kind.nested ? {} : kind.schema), description, ...kind.api }) as ApiPropertyOptions;

/** The fields of a DTO class by name. */
export type Fields = ReadonlyMap<string, { kind: Kind; required: boolean }>;

const fieldsByClass = new Map<object, Map<string, { kind: Kind; required: boolean }>>();

/** What a DTO class declares. */
export const fieldsOf = (dto: Dto): Fields => fieldsByClass.get(dto) ?? new Map();

const declare = (kind: Kind, required: boolean, decorators: readonly LateDecorator[]): PropertyDecorator => {
  return (target, key) => {
    for (const decorator of decorators) decorator(target, key);
    const fields = fieldsByClass.get(target.constructor) ?? new Map<string, { kind: Kind; required: boolean }>();
    fieldsByClass.set(target.constructor, fields.set(String(key), { kind, required }));
  };
};

/** A field that must be there. */
export const Field = (kind: Kind, description: string): PropertyDecorator =>
  declare(kind, true, [
    holdsKind(kind),
    ...(kind.nested ? [ValidateNested()] : []),
    ApiProperty({ ...documented(kind, description), required: true } as ApiPropertyOptions),
  ]);

/** A field that may be missing; `null` counts as missing, since many senders write it so. */
export const OptionalField = (kind: Kind, description: string): PropertyDecorator =>
  declare(kind, false, [
    IsOptional(),
    holdsKind(kind),
    ...(kind.nested ? [ValidateNested()] : []),
    ApiPropertyOptional(documented(kind, description)),
  ]);

const describeType = (value: unknown): string => {
  if (value === undefined) return 'is missing';
  if (value === null) return 'is null';
  if (Array.isArray(value)) return 'is a list';
  const words: Readonly<Record<string, string>> = {
    string: 'is a text',
    number: 'is a number',
    boolean: 'is true or false',
  };
  return words[typeof value] ?? 'is an object';
};

const lengthSays = (value: string, min: number): string =>
  value.length < min ? 'is empty' : `has ${value.length} characters`;

// With the `u` flag a whole pair is one character, so only halves are in the range.
const WHOLE_CHARACTERS = '^[^\\u0000\\ud800-\\udfff]*$';
const wholeCharacters = new RegExp(WHOLE_CHARACTERS, 'u');

/** Text of `min` to `max` UTF-16 units; without `max` bounded by the size of the whole item. */
export const text = (max?: number, min = 0): Kind => ({
  schema: { type: 'string', ...(min > 0 ? { minLength: min } : {}), ...(max === undefined ? {} : { maxLength: max }) },
  test: (value) => typeof value === 'string' && value.length >= min && (max === undefined || value.length <= max),
  says: (value) => (typeof value === 'string' ? lengthSays(value, min) : describeType(value)),
  allowed: max === undefined ? 'text' : `text of ${min > 0 ? `${min} to` : 'at most'} ${max} characters`,
});

/**
 * Text that an id is derived from: NUL separates the parts of an id, and halves of surrogate pairs all encode to the
 * same bytes, so that two different names would become one.
 */
export const keyText = (max: number): Kind => ({
  schema: { type: 'string', minLength: 1, maxLength: max, pattern: WHOLE_CHARACTERS },
  test: (value) => typeof value === 'string' && value.length >= 1 && value.length <= max && wholeCharacters.test(value),
  says: (value) => {
    if (typeof value !== 'string') return describeType(value);
    return value.length >= 1 && value.length <= max ? 'holds a NUL or half a character' : lengthSays(value, 1);
  },
  allowed: `text of 1 to ${max} characters, no NUL, whole characters`,
});

/** Text of a form. `echo` repeats a short wrong value, for names that are no personal data. */
export const form = (pattern: RegExp, allowed: string, options: { max: number; echo?: boolean }): Kind => ({
  schema: { type: 'string', maxLength: options.max, pattern: pattern.source },
  test: (value) => typeof value === 'string' && value.length <= options.max && pattern.test(value),
  says: (value) => {
    if (typeof value !== 'string') return describeType(value);
    if (value === '') return 'is empty';
    return options.echo ? `is ${quoted(value)}` : 'has another form';
  },
  allowed,
});

/** A name of the hub's own form: `email`, `loyalty-card`. */
export const name = (max: number, known: readonly string[]): Kind =>
  form(
    new RegExp(`^[a-z][a-z0-9-]{1,${max - 1}}$`),
    `${known.join(', ')}, or a name of 2 to ${max} lower-case letters, digits and "-"`,
    { max, echo: true },
  );

/** One of a few words. */
export const oneOf = (words: readonly string[]): Kind => ({
  schema: { type: 'string', enum: [...words] },
  test: (value) => words.includes(value as string),
  says: (value) => {
    if (typeof value !== 'string') return describeType(value);
    const meant = closest(value, words);
    return `is ${quoted(value)}${meant ? `; did you mean "${meant}"?` : ''}`;
  },
  allowed: words.join(', '),
});

/** A whole number. */
export const integer = (min: number, max: number): Kind => ({
  schema: { type: 'integer', minimum: min, maximum: max },
  test: (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
  says: (value) => (typeof value === 'number' ? `is ${value}` : describeType(value)),
  allowed: `whole number from ${min} to ${max}`,
});

export const flag = (): Kind => ({
  schema: { type: 'boolean' },
  test: (value) => typeof value === 'boolean',
  says: describeType,
  allowed: 'true or false',
});

/** An instant with its zone. The compiled check leaves it to the mapping, which needs the parsed value anyway. */
export const instant = (): Kind => ({
  schema: { type: 'string', maxLength: 40 },
  test: (value) => typeof value === 'string' && value.length <= 40 && parseInstantMs(value) !== undefined,
  says: (value) => (typeof value === 'string' ? 'is no instant with a zone' : describeType(value)),
  allowed: 'ISO 8601 with a zone, for example 2025-03-02T10:15:29.140+01:00, years 1900 to 2200',
  api: { format: 'date-time' },
});

/** A calendar day. */
export const day = (): Kind => ({
  schema: { type: 'string', maxLength: 10, pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
  test: (value) =>
    typeof value === 'string' && value.length === 10 && parseInstantMs(`${value}T00:00:00Z`) !== undefined,
  says: (value) => (typeof value === 'string' ? 'is no day' : describeType(value)),
  allowed: 'YYYY-MM-DD, years 1900 to 2200',
  later: true,
  api: { format: 'date' },
});

/** An object of its own class. */
export const object = (nested: () => Dto): Kind => ({
  schema: { type: 'object' },
  test: isObject,
  says: describeType,
  allowed: 'object',
  nested,
  // Named `type` on purpose: that is how the API document tells a lazy type from a class.
  api: { type: () => nested() },
});

/** A list of objects of a class. */
export const listOf = (nested: () => Dto, max: number): Kind => ({
  schema: { type: 'array', maxItems: max },
  test: (value) => Array.isArray(value) && value.length <= max && value.every(isObject),
  says: (value) => {
    if (!Array.isArray(value)) return describeType(value);
    if (value.length > max) return `has ${value.length} items`;
    const wrong = value.findIndex((item) => !isObject(item));
    return `item ${wrong} ${describeType(value[wrong])}`;
  },
  allowed: `list of at most ${max} objects`,
  nested,
  api: { type: () => nested(), isArray: true, maxItems: max },
});

/** Names with yes or no. */
export const flags = (max: number): Kind => ({
  schema: { type: 'object', maxProperties: max, additionalProperties: { type: 'boolean' } },
  test: (value) =>
    isObject(value) &&
    Object.keys(value).length <= max &&
    Object.entries(value).every(([key, item]) => isAttributeName(key) && typeof item === 'boolean'),
  says: (value) => {
    if (!isObject(value)) return describeType(value);
    const wrong = Object.entries(value).find(([key, item]) => !isAttributeName(key) || typeof item !== 'boolean');
    return wrong ? wrongEntry(wrong[0], wrong[1]) : `has ${Object.keys(value).length} entries`;
  },
  allowed: `object of at most ${max} names, each true or false`,
  later: true,
});

/** Flat JSON: names with texts, numbers, true, false, null, or lists of those. */
export const attributes = (): Kind => ({
  schema: { type: 'object' },
  test: areAttributes,
  says: (value) => {
    if (!isObject(value)) return describeType(value);
    const wrong = Object.entries(value).find(([key, item]) => !isAttributeName(key) || !isAttributeValue(item));
    return wrong ? wrongEntry(wrong[0], wrong[1]) : `has ${Buffer.byteLength(JSON.stringify(value))} bytes of JSON`;
  },
  allowed: `flat object of at most ${LIMITS.attributesBytes} bytes of JSON: names of 1 to 200 characters with text, numbers up to 2^53, true, false, null, or lists of those`,
  later: true,
  api: { additionalProperties: true },
});

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// `__proto__` as a name changes the object that a careless copy is written to.
const isAttributeName = (key: string): boolean =>
  key.length >= 1 && key.length <= 200 && key !== '__proto__' && !key.includes('\u0000');

// Beyond 2^53 a number has already changed by being read.
const isPlain = (value: unknown): boolean =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  value === null ||
  (typeof value === 'number' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER);

const isAttributeValue = (value: unknown): boolean => isPlain(value) || (Array.isArray(value) && value.every(isPlain));

/** A bound on the JSON of a value that costs no serialisation: six bytes a character at worst, 24 a number. */
const jsonBytesAtMost = (value: unknown): number => {
  if (typeof value === 'string') return 6 * value.length + 3;
  if (!Array.isArray(value)) return 25;
  let bytes = 3;
  for (const item of value) bytes += jsonBytesAtMost(item);
  return bytes;
};

const areAttributes = (value: unknown): boolean => {
  if (!isObject(value)) return false;
  let bytes = 2;
  for (const key in value) {
    const item = value[key];
    if (!isAttributeName(key) || !isAttributeValue(item)) return false;
    bytes += 6 * key.length + 4 + jsonBytesAtMost(item);
  }
  return bytes <= LIMITS.attributesBytes || Buffer.byteLength(JSON.stringify(value)) <= LIMITS.attributesBytes;
};

const wrongEntry = (key: string, value: unknown): string => {
  const where = `entry ${quoted(key)}`;
  if (!isAttributeName(key)) return `${where}: the name is not allowed`;
  if (typeof value === 'number') return `${where} is a number that loses digits; send it as text`;
  return `${where} ${Array.isArray(value) ? 'is a list of more than plain values' : describeType(value)}`;
};

/** A name in quotation marks, cut at 40 characters, on one line. */
export const quoted = (word: string): string => {
  const shown = word.replaceAll(/[^\P{C}]/gu, '?');
  return `"${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}"`;
};

/** The known word that a wrong one was most likely meant to be. */
export const closest = (word: string, known: readonly string[]): string | undefined => {
  if (word.length > 40) return undefined;
  const wanted = bare(word);
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, bare(candidate));
    if (distance <= Math.min(2, Math.floor(candidate.length / 3)) && (!best || distance < best.distance))
      best = { word: candidate, distance };
  }
  return best?.word;
};

const bare = (word: string) => word.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++)
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
  }
  return row[b.length]!;
};
