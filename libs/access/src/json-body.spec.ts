import fc from 'fast-check';
import { codeOf, messageOf } from '#libs/kernel';
import { findJsonFault, isDeeperThan, parseJson, readJsonBody } from './json-body.js';

const failure = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('a JSON body', () => {
  it.each([
    ['{"a":1,}', 'unexpected character at line 1, column 8'],
    ['{"a":1\n "b":2}', 'unexpected character at line 2, column 2'],
    ['[1, 2', 'it ends too early at line 1, column 6'],
    ['{"a": nope}', 'unexpected character at line 1, column 7'],
    ['"tab\there"', 'unexpected character at line 1, column 5'],
    ['[1] x', 'unexpected character at line 1, column 5'],
  ])('names the place of the fault: %j', (text, place) => {
    const error = failure(() => parseJson(text));
    expect(codeOf(error)).toBe('REQUEST.NOT_JSON');
    expect(messageOf(error)).toBe(`the body is not JSON: ${place}`);
  });

  it('finds a fault exactly where JSON.parse does', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"a"',
          '"',
          '\\',
          '\\u00',
          '1',
          '-',
          '0',
          '1.5e',
          'true',
          'nul',
          ' ',
          '\n',
          '\u0001',
          'é',
        ),
        fc.json(),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        const refused = failure(() => JSON.parse(text) as unknown) !== undefined;
        expect(findJsonFault(text) !== undefined).toBe(refused);
      }),
      { numRuns: 5000 },
    );
  });

  it('is refused when it nests deeper than 64 levels, brackets in strings aside', () => {
    expect(codeOf(failure(() => parseJson('['.repeat(65) + ']'.repeat(65))))).toBe('REQUEST.NOT_JSON');
    expect(parseJson(JSON.stringify(['['.repeat(100), '\\"['.repeat(50)]))).toHaveLength(2);
    expect(isDeeperThan('[]'.repeat(1000), 64)).toBe(false);
  });

  it('is refused when empty, missing or not UTF-8, and may begin with a byte order mark', () => {
    for (const body of [undefined, Buffer.alloc(0), Buffer.from([0x22, 0xff, 0x22]), 'text'])
      expect(codeOf(failure(() => readJsonBody(body)))).toBe('REQUEST.NOT_JSON');
    expect(readJsonBody(Buffer.from('\ufeff{"a":"é"}'))).toEqual({ a: 'é' });
  });
});
