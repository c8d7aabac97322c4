import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { IdFactory, bytesOfUuid, isUuid, uuidOfBytes } from './ids.js';

const pepper = Buffer.alloc(32, 9);
const ids = new IdFactory(pepper);

describe('derived ids', () => {
  it('are the HMAC-SHA256 of their parts under the pepper, as a UUID of version 8', () =>
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        (tenant, type, value) => {
          const bytes = createHmac('sha256', pepper).update(['identity', tenant, type, value].join('\u0000')).digest();
          bytes[6] = (bytes[6]! & 0x0f) | 0x80;
          bytes[8] = (bytes[8]! & 0x3f) | 0x80;
          expect(ids.identity(tenant, type, value)).toBe(uuidOfBytes(bytes.subarray(0, 16)));
        },
      ),
    ));

  it('keep kinds, tenants and installations apart', () => {
    const all = [
      ids.identity('a', 'email', 'x'),
      ids.identity('b', 'email', 'x'),
      ids.identity('a', 'phone', 'x'),
      ids.conversation('a', 'email', 'x', ''),
      ids.interaction('a', 'email', 'x', ''),
      new IdFactory(Buffer.alloc(32, 8)).identity('a', 'email', 'x'),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(all.every(isUuid)).toBe(true);
  });

  it('name a link the same whichever identity comes first', () => {
    const [a, b] = [ids.identity('a', 'email', 'x'), ids.identity('a', 'phone', 'y')];
    expect(ids.link('a', a, b)).toBe(ids.link('a', b, a));
  });

  it('come back from their bytes', () => {
    const id = ids.identity('a', 'email', 'x');
    expect(uuidOfBytes(bytesOfUuid(id))).toBe(id);
  });
});
