import { mentions } from './mentions.js';

const named = mentions([
  { type: 'email', value: 'ana.m+x@example.com' },
  { type: 'phone', value: '+34600123456' },
  { type: 'account', value: 'K-771' },
  { type: 'cookie', value: 'abc' },
  { type: 'social', value: 'telegram:7710004412' },
  { type: 'social', value: 'telegram:7001' },
]);

describe('a text', () => {
  it.each([
    ['{"from":"Ana <ANA.M+X@example.com>"}'],
    ['From=%2B34600123456'],
    ['email=Ana.m%2Bx%40example.com&x=1'],
    [String.raw`{"mail":"ana.m+x\u0040example.com"}`],
    ['call 600 12 34 56 please'],
    ['(+34) 600-123-456'],
    ['account K-771.'],
    ['{"from":{"id":7710004412}}'],
  ])('names somebody: %s', (text) => expect(named(text)).toBe(true));

  it.each([
    ['dana.m+x@example.com is another'],
    ['ana.m+x@example.community'],
    ['order 1234560012345'],
    ['600123457'],
    ['K-7712'],
    ['{"from":{"id":7001}}'],
    ['abc'],
    [''],
  ])('names nobody: %s', (text) => expect(named(text)).toBe(false));

  it('names nobody where nobody is looked for', () => expect(mentions([])('anything 600123456')).toBe(false));
});
