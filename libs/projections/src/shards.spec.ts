import { ProjectionProgress } from './progress.port.js';
import { indexOf, membersOf, nameOf, shardNamed, shardsOf, WHOLE } from './shards.js';

const tenants = Array.from({ length: 1000 }, (_, n) => `tenant-${n}`);
const news = (position: number) => ({ position, corrected: [] });

describe('shards', () => {
  it('hold a tenant in the same place for ever', () => {
    expect(['acme', 'globex', 'demo', 'Ünïcode'].map((tenant) => indexOf(tenant, 16))).toEqual([13, 13, 12, 8]);
  });

  it('hold every tenant once, and about as many each', () => {
    const members = shardsOf(4).map((shard) => tenants.filter(membersOf(shard)));
    expect(members.flat().toSorted()).toEqual(tenants.toSorted());
    for (const some of members) expect(Math.abs(some.length - 250)).toBeLessThan(60);
  });

  it('are kept under names that tell them', () => {
    for (const shard of [WHOLE, ...shardsOf(12)]) expect(shardNamed(nameOf(shard))).toEqual(shard);
    expect(nameOf(WHOLE)).toBe('read-model');
    expect(shardNamed('candidate/1')).toBeUndefined();
  });
});

describe('progress of shards', () => {
  const [first, second] = shardsOf(2) as [typeof WHOLE, typeof WHOLE];
  const ofShard = (index: number) => tenants.find((tenant) => indexOf(tenant, 2) === index)!;

  it('is for a tenant that of its shard, for all that of the last', async () => {
    const progress = new ProjectionProgress();
    progress.advance(news(7), first);
    expect([progress.of(ofShard(0)).position(), progress.of(ofShard(1)).position(), progress.position()]).toEqual([
      7, 0, 0,
    ]);
    const waiting = progress.reached(5, 10_000);
    const tenant = progress.of(ofShard(1)).reached(5, 10_000);
    expect(await progress.of(ofShard(0)).reached(5, 0)).toBe(true);
    expect(await progress.shard(second).reached(5, 0)).toBe(false);
    progress.advance(news(5), second);
    expect(await Promise.all([waiting, tenant])).toEqual([true, true]);
  });

  it('stays where every tenant was when they are divided otherwise', () => {
    const progress = new ProjectionProgress();
    progress.advance(news(9));
    progress.advance(news(12), first);
    expect([progress.shard(first).position(), progress.shard(second).position()]).toEqual([12, 9]);
    progress.advance(news(9), WHOLE);
    expect(progress.position()).toBe(9);
  });
});
