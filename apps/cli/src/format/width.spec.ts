import { displayWidth, fit, pad, padLeft, printable, printableLines, wrap } from './width.js';

describe('the width of text on a terminal', () => {
  it.each([
    ['plain', 5],
    ['Lucía', 5],
    ['cafe\u0301', 4],
    ['東京', 4],
    ['한국어', 6],
    ['👍', 2],
    ['👩‍👩‍👧', 2],
    ['❤️', 2],
    ['', 0],
  ])('counts the columns of %s', (text, columns) => expect(displayWidth(text)).toBe(columns));

  it('cuts at whole characters, and says so', () => {
    expect(fit('abcdef', 6)).toBe('abcdef');
    expect(fit('abcdef', 5)).toBe('abcd…');
    expect(fit('東京都', 4)).toBe('東…');
    expect(fit('abc', 0)).toBe('');
  });

  it('fills up to a column', () => {
    expect(pad('東京', 6)).toBe('東京  ');
    expect(padLeft('12', 4)).toBe('  12');
    expect(pad('long', 2)).toBe('long');
  });

  it('breaks lines between words, and words that are too long anywhere', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefgh ij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('', 4)).toEqual(['']);
  });
});

describe('text of customers', () => {
  it('cannot steer the terminal', () => {
    expect(printable('a\u001b[2Jb\u0007\r\nc\u009bd')).toBe('a [2Jb c d');
    expect(printable('pay \u202e001\u202c now')).toBe('pay 001 now');
  });

  it('keeps its lines where they are wanted', () => {
    expect(printableLines('one\r\ntwo\u001b\nthree')).toEqual(['one', 'two ', 'three']);
  });
});
