import { grouped, perSecond, span, table } from './table.js';

describe('a table', () => {
  it('makes columns as wide as their widest cell, numbers at the right', () => {
    expect(
      table(
        [{ title: 'who' }, { title: 'how many', align: 'right' }, { title: '' }],
        [
          ['Ana\nB', '1', 'x'],
          ['東京都', '1,234', ''],
        ],
      ),
    ).toBe('who     how many\nAna B          1  x\n東京都     1,234\n');
  });
});

describe('figures', () => {
  it('are grouped by thousands', () => expect(grouped(1234567)).toBe('1,234,567'));

  it.each([
    [999, '0 s'],
    [59_999, '59 s'],
    [3_599_000, '59 min'],
    [90_000_000, '1 d'],
    [-5, '0 s'],
  ])('say a span of %d ms in its largest unit', (ms, text) => expect(span(ms)).toBe(text));

  it('give a rate even of no time', () => {
    expect(perSecond(500, 2000)).toBe('250');
    expect(perSecond(5, 0)).toBe('5,000');
  });
});
