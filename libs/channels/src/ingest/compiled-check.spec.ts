import fc from 'fast-check';
import { FixedClock, IdFactory, toInstant } from '#libs/kernel';
import { compileCheck } from './compiled-check.js';
import { explain } from './explain.js';
import type { Dto } from './field.js';
import { interactions, profiles, type Edge, type Intake } from './inbound.js';
import { InteractionDto, ProfileDto } from './ingest.dto.js';

const goodInteraction = {
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<1@mail.example>',
  revision: 2,
  kind: 'message',
  threadId: '<0@mail.example>',
  direction: 'inbound',
  occurredAt: '2025-03-02T10:15:29.140+01:00',
  endedAt: '2025-03-02T09:16:00Z',
  customer: { identifiers: [{ type: 'email', value: 'ana@example.com', verified: true }], name: 'Ana Ruiz' },
  agent: 'a-7',
  subject: 'Where is my order?',
  text: 'I ordered on Monday.',
  html: '<p>I ordered on Monday.</p>',
  language: 'en-GB',
  outcome: 'open',
  attachments: [
    { name: 'a.png', contentType: 'image/png', bytes: 12, url: 'https://files.example/1', externalId: 'f1' },
  ],
  attributes: { order: 'A-1', late: true, days: 3, tags: ['x', 1, null] },
};
const goodProfile = {
  source: 'crm',
  externalId: '42',
  revision: 1,
  identifiers: [{ type: 'phone', value: '+34600000000' }],
  name: 'Ana Ruiz',
  givenName: 'Ana',
  familyName: 'Ruiz',
  birthDate: '1980-02-29',
  country: 'ES',
  createdAt: '2020-01-01T00:00:00Z',
  consents: { marketing: true },
  attributes: { tier: 'gold' },
};

/** What people and machines put where something else belongs. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null, '', ' ', 'email', 'Email', 'a', 'call', 'inbound', 'x'.repeat(200), 'x'.repeat(201), 'x'.repeat(1001), 'a\u0000b', '\ud800', '😀',
    '😀'.repeat(120), '\ufe0f'.repeat(210), 0, -1, 1, 1.5, 2_147_483_647, 2_147_483_648, 1e300, Number.POSITIVE_INFINITY, -0, 2 ** 53, true, false,
    [], [[]], [null], [{}], [[{ type: 'email', value: 'x' }]], {}, { 0: 'x' }, { length: 1 }, { type: 'email', value: 'x' },
    { identifiers: null }, { identifiers: {} }, { identifiers: [{ type: 'email', value: 'x', verified: null }] },
    { identifiers: Array.from({ length: 51 }, () => ({ type: 'email', value: 'x' })) }, [{ type: 'email', value: 'x' }], [{ type: 'email' }],
    [{ type: 'email', value: 'x', tenant: 'y' }], [{ bytes: -1 }], [{ url: 'javascript:alert(1)' }], [{ url: 'HTTPS://x' }], { a: { b: 1 } },
    { a: [[1]] }, { a: 'x'.repeat(17_000) }, { a: '\u0001'.repeat(2_700) }, { a: 'é'.repeat(8_300) }, { '': 1 }, { a: 2 ** 60 }, { a: true }, { a: 1 },
    JSON.parse('{"__proto__": 1}'), JSON.parse('{"constructor": true}'), { constructor: 'x', toString: 1 }, '2025-03-02T09:00:00Z',
    '2025-02-30T09:00:00Z', '2025-03-02', '2025-03-02T09:00:00', '1980-02-29', '1981-02-29', 'ES', 'es', 'ESP', 'en', 'pt-BR', 'english please',
  ), // prettier-ignore
  fc.jsonValue({ depthSize: 'small' }),
);

const UNKNOWN = ['tenant', 'constructor', 'toString', 'hasOwnProperty', '__proto__', 'external_id', 'x', 'length'];

const bodies = (good: Record<string, unknown>) => {
  const field = fc.constantFrom(...Object.keys(good), ...UNKNOWN);
  const change = fc.oneof(
    { weight: 3, arbitrary: fc.record({ field, value: odd }) },
    { weight: 1, arbitrary: fc.record({ field, value: fc.constant(undefined) }) },
  );
  return fc.oneof(
    { weight: 9, arbitrary: fc.array(change, { maxLength: 3 }).map((changes) => changed(good, changes)) },
    { weight: 1, arbitrary: odd },
  );
};

const changed = (good: Record<string, unknown>, changes: { field: string; value: unknown }[]) => {
  const body = { ...good };
  for (const { field, value } of changes) {
    if (value === undefined) delete body[field];
    else Object.defineProperty(body, field, { value, enumerable: true, configurable: true, writable: true });
  }
  return body;
};

const edge: Edge = {
  tenant: 'acme',
  nowMs: new FixedClock(Date.parse('2025-03-02T09:30:00Z')).nowMs(),
  receivedAt: toInstant(Date.parse('2025-03-02T09:30:00Z')),
  ids: new IdFactory(Buffer.alloc(32)),
};

describe.each<[string, Dto, Record<string, unknown>, Intake]>([
  ['interaction', InteractionDto, goodInteraction, interactions],
  ['profile', ProfileDto, goodProfile, profiles],
])('the compiled check of an %s', (_name, dto, good, intake) => {
  const check = compileCheck(dto);

  it('takes a body with every field, and one with every optional field null', () => {
    expect(check(good)).toBe(true);
    expect(explain(dto, good, '$')).toEqual([]);
    for (const field of Object.keys(good)) {
      const body = { ...good, [field]: null };
      expect([field, check(body)]).toEqual([field, explain(dto, body, '$').length === 0]);
    }
  });

  it('names at most ten errors of one item', () => {
    const unknown = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`externalIdd${index}`, 1]));
    expect(explain(dto, { ...good, ...unknown }, '$')).toHaveLength(10);
  });

  it('never disagrees with class-validator', () => {
    let [yes, no] = [0, 0];
    fc.assert(
      fc.property(bodies(good), (body) => {
        const taken = intake.read(body, edge) !== undefined;
        const errors = explain(dto, body, '$');
        if (taken) yes += 1;
        else no += 1;
        expect([taken, errors]).toEqual([errors.length === 0, errors]);
        // What the compiled check refuses is refused; instants are left to the reading.
        expect(taken && !check(body)).toBe(false);
      }),
      { numRuns: 4000 },
    );
    // Otherwise the generator, and not the check, would be what this proves.
    expect(Math.min(yes, no)).toBeGreaterThan(500);
  }, 60_000);
});
