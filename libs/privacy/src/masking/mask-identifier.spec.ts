import fc from 'fast-check';
import { IDENTIFIER_TYPES } from '#libs/kernel';
import { HIDDEN, MASKS, maskIdentifier } from './mask-identifier.js';

const RUNS = { numRuns: 500 };

describe('a masked identifier', () => {
  it.each([
    ['email', 'ana.ruiz@mail.example.com', 'a***@***.com'],
    ['email', 'ab@example.com', '***@***.com'],
    ['email', 'ana@10.0.0.1', 'a***@***'],
    ['email', 'no address', '***'],
    ['phone', '+12145550142', '***42'],
    ['phone', '0112345', '***'],
    ['account', 'C-4711', '***'],
    ['account', 'C-47110815', '***15'],
    ['card', '4242424242421234', '***1234'],
    ['card', '42424242', '***'],
    ['handle', 'mika_r', 'm***'],
    ['handle', '😀ab', '😀***'],
    ['social', 'telegram:4711', 'telegram:***'],
    ['social', 'no network', '***'],
    ['profile', 'crm:4711', 'crm:***'],
    ['cookie', '7c1f3a99', '***'],
    ['postal', '12 high street', '***'],
    ['vin', 'WDB1234567', '***'],
    ['__proto__', 'x', '***'],
    ['constructor', 'x', '***'],
  ])('%s %s shows as %s', (type, value, shown) => expect(maskIdentifier(type, value)).toBe(shown));

  it('has a mask for every type the hub knows', () => {
    for (const type of [...IDENTIFIER_TYPES, 'profile']) expect(MASKS).toHaveProperty(type);
  });

  // Two values that agree in what a mask says it shows must look the same: nothing else can then have come through.
  const unit = fc.string({ unit: 'grapheme', minLength: 0, maxLength: 40 });
  const local = fc.string({ minLength: 2, maxLength: 30 }).filter((text) => !text.includes('@'));
  const domain = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
  const letter = fc.constantFrom(...Array.from('abcxyz0+é'));

  it('shows of a mail address no more than its first character and its end', () => {
    fc.assert(
      fc.property(letter, local, local, domain, domain, (first, one, other, here, there) => {
        const masked = maskIdentifier('email', `${first}${one}@${here}.org`);
        expect(maskIdentifier('email', `${first}${other}@${there}.org`)).toBe(masked);
        expect(masked).toBe(`${first}***@***.org`);
      }),
      RUNS,
    );
  });

  it.each([
    ['phone', 2, 8],
    ['account', 2, 8],
    ['loyalty', 2, 8],
    ['card', 4, 12],
  ])('shows of a %s no more than its last %i', (type, shown, least) => {
    const digits = (min: number, max: number) => fc.string({ unit: letter, minLength: min, maxLength: max });
    fc.assert(
      fc.property(digits(least - shown, 30), digits(least - shown, 30), digits(shown, shown), (one, other, tail) => {
        expect(maskIdentifier(type, one + tail)).toBe(HIDDEN + tail);
        expect(maskIdentifier(type, other + tail)).toBe(HIDDEN + tail);
      }),
      RUNS,
    );
    fc.assert(
      fc.property(digits(0, least - 1), (short) => expect(maskIdentifier(type, short)).toBe(HIDDEN)),
      RUNS,
    );
  });

  it('shows of everything else no more than one character, or who gave it out', () => {
    fc.assert(
      fc.property(unit, unit, fc.stringMatching(/^[a-z]{2,10}$/), (one, other, network) => {
        for (const type of ['social', 'profile'])
          expect(maskIdentifier(type, `${network}:${one}`)).toBe(maskIdentifier(type, `${network}:${other}`));
        for (const type of ['cookie', 'postal', network]) {
          if (type in MASKS && type !== 'cookie' && type !== 'postal') continue;
          expect(maskIdentifier(type, one)).toBe(HIDDEN);
        }
        expect(maskIdentifier('handle', `a${one}bc`)).toBe(maskIdentifier('handle', `a${other}de`));
      }),
      RUNS,
    );
  });

  it('is as long for a long value as for a short one', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(MASKS)), unit, (type, value) => {
        const masked = Array.from(maskIdentifier(type, value));
        expect(masked.length).toBeLessThanOrEqual(['social', 'profile'].includes(type) ? 36 : 21);
        expect(masked.join('')).toContain(HIDDEN);
      }),
      RUNS,
    );
  });
});
