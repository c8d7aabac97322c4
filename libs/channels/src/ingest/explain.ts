import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import type { FieldError } from '#libs/access';
import { closest, isObject, KIND, quoted, type Dto, type Kind } from './field.js';

/** Errors told of one item; somebody who gets ten wrong reads the documentation. */
const MOST_ERRORS = 10;

/**
 * Everything wrong with a value, by class-validator and field by field: empty exactly when the compiled check says yes
 * and all instants parse.
 */
export const explain = (dto: Dto, value: unknown, path: string): FieldError[] => {
  if (!isObject(value))
    return [
      {
        path,
        message: `is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}`,
        allowed: 'object',
      },
    ];
  const errors: FieldError[] = [];
  const instance = instanceOf(dto, value, path, errors);
  const found = validateSync(instance, {
    stopAtFirstError: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });
  tell(found, dto, path, errors);
  return errors.slice(0, MOST_ERRORS);
};

/**
 * The value as instances of the declared classes, which class-validator asks for. Unknown fields are reported and left
 * out: names such as `constructor` lead both class-transformer and class-validator astray.
 */
const instanceOf = (dto: Dto, value: Record<string, unknown>, path: string, errors: FieldError[]): object => {
  const instance = new dto() as Record<string, unknown>;
  const kinds = kindsOf(dto);
  for (const key of Object.keys(value)) {
    const kind = kinds.get(key);
    if (!kind) {
      // Guessing what was meant is dear: not for a body of a hundred thousand names.
      if (errors.length < MOST_ERRORS) errors.push(unknownField(key, path, kinds));
    } else
      instance[key] =
        kind.nested && kind.test(value[key])
          ? nestedOf(kind.nested(), value[key], `${path}.${key}`, errors)
          : value[key];
  }
  return instance;
};

const nestedOf = (dto: Dto, value: unknown, path: string, errors: FieldError[]): unknown =>
  Array.isArray(value)
    ? value.map((item, index) => nestedOf(dto, item, `${path}[${index}]`, errors))
    : instanceOf(dto, value as Record<string, unknown>, path, errors);

const tell = (found: readonly ValidationError[], dto: Dto | undefined, path: string, errors: FieldError[]): void => {
  for (const error of found) {
    const kind = dto && kindsOf(dto).get(error.property);
    const place = dto ? `${path}.${error.property}` : `${path}[${error.property}]`;
    for (const message of Object.values(error.constraints ?? {}))
      errors.push({ path: place, message, allowed: kind?.allowed });
    if (!error.children || error.children.length === 0) continue;
    // Children of a list are its items, whose children are fields of the listed class.
    if (kind?.schema.type === 'array')
      for (const item of error.children)
        tell(item.children ?? [], kind.nested?.(), `${place}[${item.property}]`, errors);
    else tell(error.children, kind?.nested?.(), place, errors);
  }
};

const SET_BY_THE_HUB: Readonly<Record<string, string>> = {
  tenant: 'comes from the API key; leave it out',
  receivedAt: 'is set by the hub; leave it out',
  receipt: 'is set by the hub; leave it out',
};

const unknownField = (key: string, path: string, kinds: ReadonlyMap<string, Kind>): FieldError => {
  const known = [...kinds.keys()];
  const own = Object.hasOwn(SET_BY_THE_HUB, key) ? SET_BY_THE_HUB[key] : undefined;
  if (own) return { path: `${path}.${key}`, message: own };
  const meant = closest(key, known);
  const simple = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(key);
  return {
    path: simple ? `${path}.${key}` : `${path}[${quoted(key)}]`,
    message: `is no field here${meant ? `; did you mean "${meant}"?` : ''}`,
    allowed: known.join(', '),
  };
};

const kindsByDto = new Map<Dto, ReadonlyMap<string, Kind>>();

/** What a DTO class declares, by field, read from class-validator. */
const kindsOf = (dto: Dto): ReadonlyMap<string, Kind> => {
  const known = kindsByDto.get(dto);
  if (known) return known;
  const kinds = new Map<string, Kind>();
  for (const meta of getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false))
    if (meta.name === KIND) kinds.set(meta.propertyName, (meta.constraints as [Kind])[0]);
  kindsByDto.set(dto, kinds);
  return kinds;
};
