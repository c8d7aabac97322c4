import {
  booleanField,
  formField,
  instantAfterField,
  instantField,
  optionalField,
  readBodyFields,
  textField,
  textPairField,
} from './body-fields.js';
import type { ProblemError } from './problem.js';

const fields = { pair: textPairField(5, 'names'), reason: textField(10), note: optionalField(textField(3)) };
const read = (body: unknown) => readBodyFields(Buffer.from(JSON.stringify(body)), fields, 'X.INVALID');
const errorsOf = (body: unknown) => {
  try {
    read(body);
  } catch (error) {
    const { code, problem } = error as ProblemError;
    return { code, errors: problem.errors!.map(({ path, message }) => `${path} ${message}`) };
  }
  return undefined;
};

describe('the fields of a small body', () => {
  it('may be of a form, yes or no, or an instant to come in any zone', () => {
    const forms = {
      code: optionalField(formField(/^[a-z]+$/, 'letters')),
      yes: optionalField(booleanField),
      until: optionalField(instantAfterField(Date.UTC(2025, 2, 2, 9, 15))),
    };
    const readForms = (body: object) => readBodyFields(Buffer.from(JSON.stringify(body)), forms, 'X.INVALID');
    expect(readForms({ code: 'abc', yes: false, until: '2025-03-02T11:15:01+02:00' })).toEqual({
      code: 'abc',
      yes: false,
      until: '2025-03-02T09:15:01.000Z',
    });
    for (const wrong of [
      { code: 'Abc' },
      { code: 7 },
      { yes: 'false' },
      { yes: 0 },
      { until: '2025-03-02T09:15:00Z' },
      { until: '2031-03-02T09:15:00' },
      { until: '2031-02-30T09:15:00Z' },
      { until: 1_900_000_000_000 },
    ])
      expect(() => readForms(wrong)).toThrow(`$.${Object.keys(wrong)[0]} has another form`);
  });

  it('come trimmed, and without those that are missing', () => {
    const expected = { pair: ['a', 'b'], reason: 'because' };
    expect(read({ pair: [' a', 'b '], reason: ' because ' })).toEqual(expected);
    expect(read({ ...expected, note: null })).toEqual(expected);
    expect(read({ ...expected, note: 'yes' })).toEqual({ ...expected, note: 'yes' });
  });

  it.each([
    [{}, ['$.pair is missing', '$.reason is missing']],
    [{ pair: ['a'], reason: '  ' }, ['$.pair has another form', '$.reason has another form']],
    [{ pair: ['a', 7], reason: 'x'.repeat(11) }, ['$.pair has another form', '$.reason has another form']],
    [{ pair: ['a', 'b'], reason: 'half \ud800' }, ['$.reason has another form']],
    [{ pair: ['a', 'b'], reason: 'x', tenant: 'other' }, ['$.tenant is no field here']],
    [{ pair: ['a', 'b'], reason: 'x', note: 'long' }, ['$.note has another form']],
    [[], ['$ is no object']],
    ['text', ['$ is no object']],
  ])('are refused in %j, each by its name', (body, errors) =>
    expect(errorsOf(body)).toEqual({ code: 'X.INVALID', errors }),
  );

  it('are not fooled by names that every object knows', () => {
    const body = Buffer.from('{"__proto__":{"reason":"x"},"pair":["a","b"]}');
    expect(() => readBodyFields(body, fields, 'X.INVALID')).toThrow(
      '$.__proto__ is no field here; $.reason is missing',
    );
  });

  it('take an instant of any zone in UTC, and nothing that names none', () => {
    const due = (dueAt: unknown) =>
      readBodyFields(Buffer.from(JSON.stringify({ dueAt })), { dueAt: instantField }, 'X.INVALID');
    expect(due('2026-03-02T09:15:00+01:00')).toEqual({ dueAt: '2026-03-02T08:15:00.000Z' });
    for (const none of ['2026-03-02', '2026-03-02T09:15:00', '2026-02-30T09:15:00Z', 1_700_000_000_000, ''])
      expect(() => due(none)).toThrow('$.dueAt has another form');
  });

  it('may all be missing where all are optional, and so may the body', () => {
    const optional = { reason: optionalField(textField(10)) };
    for (const body of [undefined, Buffer.alloc(0), Buffer.from('{}')])
      expect(readBodyFields(body, optional, 'X.INVALID')).toEqual({});
    expect(() => readBodyFields(undefined, fields, 'X.INVALID')).toThrow('the body is empty');
  });
});
