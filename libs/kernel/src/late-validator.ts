import type * as ClassTransformer from 'class-transformer';
import type * as ClassValidator from 'class-validator';
import { LateDecorators, type LateDecorator } from './late-decorators.js';
import { latePackage } from './late-package.js';

type Validator = typeof ClassValidator;
type Options = ClassValidator.ValidationOptions;

const loadValidator = latePackage<Validator>('class-validator');
const loadTransformer = latePackage<typeof ClassTransformer>('class-transformer');
const rules = new LateDecorators<Validator>();
const types = new LateDecorators<typeof ClassTransformer>();

/** Plain tests of the properties of classes, by prototype and property. */
const tests = new WeakMap<object, Map<string | symbol, ((value: unknown) => boolean)[]>>();

// A rule with a plain test need not load the library to find that a value keeps it.
const tested =
  <Given extends unknown[]>(
    declare: (...given: Given) => LateDecorator,
    test: (first: Given[0]) => (value: unknown) => boolean,
  ) =>
  (...given: Given): LateDecorator =>
  (target, key) => {
    declare(...given)(target, key);
    const ofClass = tests.get(target) ?? new Map<string | symbol, ((value: unknown) => boolean)[]>();
    tests.set(target, ofClass.set(key!, [...(ofClass.get(key!) ?? []), test(given[0])]));
  };

// The decorators of class-validator by the same names, and `Type` of class-transformer: both packages are loaded when
// something has to be validated by them.
export const ArrayMaxSize = rules.of((v: Validator) => v.ArrayMaxSize);
export const ArrayMinSize = rules.of((v: Validator) => v.ArrayMinSize);
export const IsArray = rules.of((v: Validator) => v.IsArray);
export const IsNumber = rules.of((v: Validator) => v.IsNumber);
export const IsObject = rules.of((v: Validator) => v.IsObject);
export const IsOptional = rules.of((v: Validator) => v.IsOptional);
export const Length = rules.of((v: Validator) => v.Length);
export const ValidateBy = rules.of((v: Validator) => v.ValidateBy);
export const ValidateNested = rules.of((v: Validator) => v.ValidateNested);
export const IsIn = tested(
  rules.of((v: Validator) => (words: readonly string[]) => v.IsIn(words)),
  (words) => (value) => typeof value === 'string' && words.includes(value),
);
export const IsInt = tested(
  rules.of((v: Validator) => v.IsInt),
  () => Number.isInteger,
);
export const IsString = tested(
  rules.of((v: Validator) => v.IsString),
  () => (value) => typeof value === 'string',
);
export const Matches = tested(
  rules.of((v: Validator) => (pattern: RegExp, options?: Options) => v.Matches(pattern, options)),
  (pattern) => (value) => typeof value === 'string' && pattern.test(value),
);
export const Max = tested(
  rules.of((v: Validator) => v.Max),
  (max) => (value) => typeof value === 'number' && value <= max,
);
export const Min = tested(
  rules.of((v: Validator) => v.Min),
  (min) => (value) => typeof value === 'number' && value >= min,
);
export const Type = types.of((t: typeof ClassTransformer) => t.Type);

/**
 * Whether every property of an instance plainly keeps its rules: then class-validator finds nothing either. For a class
 * all whose rules are `IsIn`, `IsInt`, `IsString`, `Matches`, `Max`, `Min` of single values, optional or not; a missing
 * value passes, so what is required needs a default.
 */
export const plainlyValid = (instance: object): boolean =>
  [...(tests.get(Object.getPrototypeOf(instance) as object) ?? [])].every(([key, ofProperty]) => {
    const value: unknown = Reflect.get(instance, key);
    return value === undefined || ofProperty.every((test) => test(value));
  });

/** class-validator, knowing what was declared with the decorators above. */
export const classValidator = (): Validator => {
  const validator = loadValidator();
  rules.apply(validator);
  return validator;
};

/** class-transformer, knowing what was declared with `Type`. */
export const classTransformer = (): typeof ClassTransformer => {
  const transformer = loadTransformer();
  types.apply(transformer);
  return transformer;
};
