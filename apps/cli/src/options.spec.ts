import { codeOf } from '#libs/kernel';
import { futureOption, listOption, spanOption, wholeOption } from './options.js';

const nowMs = Date.parse('2025-06-01T00:00:00Z');
const codeOfThrown = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
};

describe('options', () => {
  it('are whole numbers within bounds', () => {
    expect(wholeOption('--limit', '100', 1, 100)).toBe(100);
    for (const text of ['0', '101', '1.5', '-1', '', '1e2'])
      expect(codeOfThrown(() => wholeOption('--limit', text, 1, 100))).toBe('CLI.USAGE');
  });

  it('are lists', () => {
    expect(listOption('email, phone,')).toEqual(['email', 'phone']);
    expect(listOption(' ')).toBeUndefined();
    expect(listOption(undefined)).toBeUndefined();
  });

  it.each([
    ['90d', '2025-08-30T00:00:00.000Z'],
    ['12h', '2025-06-01T12:00:00.000Z'],
    ['2030-01-31', '2030-01-31T00:00:00.000Z'],
    ['2030-01-31T00:00:00+01:00', '2030-01-30T23:00:00.000Z'],
  ])('are moments to come: %s', (text, instant) => expect(futureOption('--expires', text, nowMs)).toBe(instant));

  it('are spans of time', () => {
    expect(['0', '12h', '7d', '2w'].map((text) => spanOption('--overlap', text))).toEqual([
      0, 43_200_000, 604_800_000, 1_209_600_000,
    ]);
    for (const text of ['7', 'd', '-1d', '1y', ''])
      expect(codeOfThrown(() => spanOption('--overlap', text))).toBe('CLI.USAGE');
  });

  it('are refused when the moment is over or none', () => {
    for (const text of ['2025-05-31', 'soon', '2030-01-31T00:00:00'])
      expect(codeOfThrown(() => futureOption('--expires', text, nowMs))).toBe('CLI.USAGE');
  });
});
