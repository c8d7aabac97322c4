import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { chooseAnchor, normaliseIdentifier, relate, type NormalisedIdentifier } from './identifier.js';

const normalise = (type: string, value: string, verified = false) =>
  normaliseIdentifier({ type, value, verified }, { defaultCountry: 'US' });
const valueOf = (type: string, value: string) => normalise(type, value).value;

describe('normalising an identifier', () => {
  it.each([
    ['+12125550123'],
    ['(212) 555-0123'],
    ['212.555.0123'],
    ['1 212 555 0123'],
    ['12125550123'],
    ['whatsapp:+12125550123'],
    ['tel:+1-212-555-0123'],
    ['sip:+12125550123@pbx.example;transport=udp'],
    ['client:+12125550123'],
  ])('reads the phone number in %s', (written) => {
    expect(normalise('phone', written)).toEqual({
      type: 'phone',
      value: '+12125550123',
      verified: false,
      usable: true,
      weak: false,
    });
  });

  it('drops the national prefix of a number that carries its country code too', () => {
    expect(valueOf('phone', '+44 (0)20 7946 0123')).toBe('+442079460123');
  });

  it('keeps a number that no plan explains as weak digits', () => {
    expect(normalise('phone', ' 72-727 ')).toMatchObject({
      value: '72727',
      usable: true,
      weak: true,
      reason: 'malformed',
    });
  });

  it('needs a country for a national number', () => {
    expect(normaliseIdentifier({ type: 'phone', value: '(212) 555-0123' })).toMatchObject({
      value: '2125550123',
      weak: true,
    });
    expect(
      normaliseIdentifier({ type: 'phone', value: '(212) 555-0123' }, { defaultCountry: 'nowhere' }),
    ).toMatchObject({
      weak: true,
    });
  });

  it.each([
    'Anonymous',
    'restricted',
    'unknown',
    '+266696687',
    '7378742833',
    '0000000000',
    '+0',
    'sip:anonymous@anonymous.invalid',
  ])('takes %s for nobody', (value) =>
    expect(normalise('phone', value)).toMatchObject({ usable: false, reason: 'blocked' }),
  );

  it('compares whole mail addresses without case and keeps the tag', () => {
    expect(valueOf('email', '  Ana.Paz+Shop@Mail.Example ')).toBe('ana.paz+shop@mail.example');
    expect(normalise('email', 'ana.paz')).toMatchObject({ usable: false, reason: 'malformed' });
    expect(normalise('email', 'no-reply@mail.example')).toMatchObject({ usable: false, reason: 'blocked' });
  });

  it('keeps a role mailbox as an identity that never links', () => {
    expect(normalise('email', 'office@clinic.example')).toMatchObject({ usable: true, weak: true });
    expect(normalise('email', 'office+july@clinic.example')).toMatchObject({ usable: true, weak: true });
  });

  it.each([
    ['account', ' eb 123 ', 'EB123'],
    ['loyalty', 'bh-7a', 'BH-7A'],
    ['card', ' card_aB ', 'card_aB'],
    ['social', 'X:AbC', 'x:AbC'],
    ['cookie', ' ck_Ab ', 'ck_Ab'],
    ['handle', '@Ana_Paz', 'ana_paz'],
    ['postal', '12  Elm St.,\nBoise, ID', '12 elm st boise id'],
    ['seat', ' 12A ', '12A'],
  ])('writes a %s in one way', (type, written, expected) => expect(valueOf(type, written)).toBe(expected));

  it('takes our own addresses for nobody', () => {
    const ownAddresses = new Set(['email:care@bank.example', 'phone:+12125550100']);
    expect(normaliseIdentifier({ type: 'email', value: 'Care@Bank.example' }, { ownAddresses }).usable).toBe(false);
    expect(normaliseIdentifier({ type: 'phone', value: 'tel:+12125550100' }, { ownAddresses }).usable).toBe(false);
  });

  it('never throws, and leaves a normalised value as it is', () => {
    const type = fc.constantFrom('phone', 'email', 'account', 'social', 'handle', 'postal', 'cookie', 'seat');
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[+(]?[\d ().-]{0,20}$/),
      fc.emailAddress(),
    );
    fc.assert(
      fc.property(type, text, fc.constantFrom('US', 'GB', 'zz', undefined), (known, value, defaultCountry) => {
        const once = normaliseIdentifier(
          { type: known, value },
          defaultCountry === undefined ? {} : { defaultCountry },
        );
        const twice = normaliseIdentifier(once);
        expect(twice).toEqual(once);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers for a plain North American number as the library does', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\+1[2-9]\d{9}$/), (written) => {
        const parsed = parsePhoneNumberFromString(written);
        expect(parsed?.isPossible()).toBe(true);
        expect(valueOf('phone', written)).toBe(parsed?.number);
      }),
    );
  });
});

describe('choosing the anchor', () => {
  const account = normalise('account', 'EB1');
  const proven = normalise('email', 'ana@mail.example', true);
  const phone = normalise('phone', '+12125550123');
  const mail = normalise('email', 'b@mail.example');
  const office = normalise('email', 'office@mail.example');
  const seat = normalise('seat', '12A');
  const handle = normalise('handle', '@ana');
  const ranked = [account, proven, normalise('phone', '+12125550124', true), mail, phone, normalise('social', 'x:1'),
    normalise('card', 'c'), normalise('cookie', 'k'), seat, office, handle, normalise('postal', '1 Elm')]; // prettier-ignore

  it('prefers the stronger identifier, whatever the order of the list', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(ranked, { minLength: 1 }), (list) => {
        expect(chooseAnchor(list)).toBe(ranked.find((one) => list.includes(one)));
      }),
    );
  });

  it('takes the lowest value among equals', () => {
    const [one, other] = [normalise('phone', '+12125550001'), normalise('phone', '+12125550002')];
    expect(chooseAnchor([other, one])).toBe(one);
  });

  it('finds none where nothing is usable', () => {
    expect(chooseAnchor([normalise('phone', 'anonymous')])).toBeUndefined();
    expect(chooseAnchor([])).toBeUndefined();
  });
});

describe('relating the identifiers of a contact', () => {
  const pairs = (identifiers: NormalisedIdentifier[]) =>
    relate(identifiers, 'same-interaction').evidence.map(({ a, b, kind }) => [a.value, b.value, kind]);

  it('ties the anchor to each of the others', () => {
    const phone = normalise('phone', '+12125550123');
    const found = pairs([phone, normalise('cookie', 'k'), normalise('account', 'EB1')]);
    expect(found).toEqual([
      ['EB1', '+12125550123', 'same-interaction'],
      ['EB1', 'k', 'same-interaction'],
    ]);
  });

  it('leaves weak and unusable identifiers untied', () => {
    const mail = normalise('email', 'ana@mail.example');
    const others = [normalise('handle', '@ana'), normalise('phone', 'anonymous'), normalise('email', 'info@x.example')];
    expect(pairs([mail, ...others])).toEqual([]);
    expect(pairs([normalise('handle', '@ana'), normalise('postal', '1 Elm')])).toEqual([]);
  });

  it('ties a tagged address to its mailbox', () => {
    const { identifiers, evidence } = relate([normalise('email', 'ana+shop@mail.example')], 'same-interaction');
    expect(identifiers.map(({ value }) => value)).toEqual(['ana+shop@mail.example', 'ana@mail.example']);
    expect(evidence).toMatchObject([{ b: { value: 'ana@mail.example' }, kind: 'same-mailbox' }]);
  });

  it('takes the numbers that a profile gives for issued by its keeper', () => {
    const profile = normalise('profile', 'crm:1');
    const { identifiers } = relate(
      [normalise('account', 'EB1'), normalise('phone', '+12125550123')],
      'profile-import',
      profile,
    );
    expect(identifiers.map(({ type, verified }) => [type, verified])).toEqual([
      ['profile', false],
      ['account', true],
      ['phone', false],
    ]);
  });
});
