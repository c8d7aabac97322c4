import type { ValidationError } from 'class-validator';
import type { FieldError } from '#libs/access';
import { classValidator } from '#libs/kernel/late-validator.js';
import { closest, fieldsOf, isObject, quoted, type Dto, type Fields } from './field.js';

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
  const found = classValidator().validateSync(instance, {
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
  const fields = fieldsOf(dto);
  for (const key of Object.keys(value)) {
    const kind = fields.get(key)?.kind;
    if (!kind) {
      // Guessing what was meant is dear: not for a body of a hundred thousand names.
      if (errors.length < MOST_ERRORS) errors.push(unknownField(key, path, fields));
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
    const kind = dto && fieldsOf(dto).get(error.property)?.kind;
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

const unknownField = (key: string, path: string, fields: Fields): FieldError => {
  const known = [...fields.keys()];
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
