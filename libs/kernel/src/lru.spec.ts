import fc from 'fast-check';
import { LruMap } from './lru.js';

describe('the bounded cache', () => {
  it('answers what was set last, or nothing, and never something else', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('get', 'set', 'delete'), fc.nat(12), fc.nat(99))), (steps) => {
        const cache = new LruMap<number, number>(6);
        const model = new Map<number, number>();
        for (const [step, key, value] of steps) {
          if (step === 'set') {
            cache.set(key, value);
            model.set(key, value);
          } else if (step === 'delete') {
            cache.delete(key);
            model.delete(key);
          }
          const found = cache.get(key);
          expect([undefined, model.get(key)]).toContain(found);
        }
      }),
    );
  });

  it('keeps what is used and forgets what is not', () => {
    const cache = new LruMap<string, number>(100);
    cache.set('used', 1);
    cache.set('unused', 2);
    for (let i = 0; i < 1000; i++) {
      cache.set(`other ${i}`, i);
      cache.get('used');
    }
    expect([cache.get('used'), cache.get('unused')]).toEqual([1, undefined]);
  });

  it('holds no more than its capacity', () => {
    const cache = new LruMap<number, number>(10);
    for (let i = 0; i < 1000; i++) cache.set(i, i);
    const held = Array.from({ length: 1000 }, (_, i) => i).filter((i) => cache.get(i) !== undefined);
    expect(held.length).toBeLessThanOrEqual(10);
    expect(held).toContain(999);
  });
});
