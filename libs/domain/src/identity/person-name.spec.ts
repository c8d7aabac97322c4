import fc from 'fast-check';
import { areDifferentPeople, nameKey, nameKeyOfParts, type NameKey } from './person-name.js';

const digest = (word: string): string =>
  `#${Array.from(word).reduce((sum, letter) => sum * 31 + (letter.codePointAt(0) ?? 0), 7)}`;
const key = (written: string): NameKey => {
  const found = nameKey(written, digest);
  if (found === undefined) throw new Error(`${written} has no letters`);
  return found;
};

describe('comparing names by their hashed words', () => {
  it.each([
    ['Blake Chavez', 'Chavez, Blake'],
    ['Blake Chavez', 'BLAKE CHAVEZ'],
    ['Blake Chavez', 'B. Chavez'],
    ['Blake Chavez', 'Chavez Blake'],
    ['Blake Chavez', 'Mr. Blake J. Chavez Jr.'],
    ['Blake Chavez', 'Blake Miller'],
    ['José Ñuñez', 'Jose Nunez'],
    ['Gracelyn Maren Starr', 'Maren Starr'],
    ['Blake', 'Blake Chavez'],
    ['Chavez, ', 'Chavez'],
  ])('%s and %s may be one person', (one, other) => expect(areDifferentPeople(key(one), key(other))).toBe(false));

  it.each([
    ['Blake Chavez', 'Ana Chavez'],
    ['B. Chavez', 'A. Chavez'],
    ['Blake Chavez', 'A. Chavez'],
    ['Blake Chavez', 'Brenda Chavez'],
    ['Blake Chavez', 'Ana Miller'],
  ])('%s and %s are two people', (one, other) => expect(areDifferentPeople(key(one), key(other))).toBe(true));

  it('finds no name in a text without letters', () => {
    expect(nameKey(' 42 ')).toBeUndefined();
    expect(nameKeyOfParts(undefined, ' ')).toBeUndefined();
  });

  it('reads the parts of a profile as the written name', () => {
    expect(nameKeyOfParts('Blake', 'Chavez', digest)).toEqual(key('Blake Chavez'));
    expect(nameKeyOfParts('Ana', 'de la Cruz', digest)).toEqual(key('de la Cruz, Ana'));
  });

  it('gives the same answer both ways round, and never tells a name from itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (some, others) => {
        const [one, other] = [nameKey(some), nameKey(others)];
        if (one === undefined || other === undefined) return;
        expect(areDifferentPeople(one, other)).toBe(areDifferentPeople(other, one));
        expect(areDifferentPeople(one, one)).toBe(false);
      }),
    );
  });
});
