import { FixedClock } from '#libs/kernel';
import { TokenBuckets } from './token-bucket.js';

describe('TokenBuckets', () => {
  it('lets a burst of one second through, then says when to come back', () => {
    const clock = new FixedClock(0);
    const buckets = new TokenBuckets(2, clock);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([0, 0, 1]);
    expect(buckets.take('b')).toBe(0);
    clock.advance(500);
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, 1]);
  });

  it('saves up no more than one second, and bears a clock that is set back', () => {
    const clock = new FixedClock(0);
    const buckets = new TokenBuckets(1, clock);
    buckets.take('a');
    clock.advance(60_000);
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, 1]);
    clock.advance(-30_000);
    expect(buckets.take('a')).toBe(1);
    clock.advance(1000);
    expect(buckets.take('a')).toBe(0);
  });
});
