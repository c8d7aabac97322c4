import { createHash } from 'node:crypto';
import { SeenIds } from './seen-ids.js';

const id = (n: number): Buffer => createHash('sha256').update(String(n)).digest().subarray(0, 16);

describe('the ids met so far', () => {
  it('never denies one that was added, and seldom affirms one that was not', () => {
    const seen = new SeenIds();
    for (let n = 0; n < 20_000; n++) seen.add(id(n));
    expect(Array.from({ length: 20_000 }, (_, n) => id(n)).every((each) => seen.has(each))).toBe(true);
    const mistaken = Array.from({ length: 20_000 }, (_, n) => id(20_000 + n)).filter((each) => seen.has(each));
    expect(mistaken.length).toBeLessThan(20);
  });
});
