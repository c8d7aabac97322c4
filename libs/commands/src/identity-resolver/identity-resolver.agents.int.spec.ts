import type { LinkEvent } from '#libs/domain';
import type { CustomerIdentifier } from '#libs/kernel';
import { account, email, idOf, linkOf, phone, worldOf } from './resolver-world.contract.js';

describe('an agent', () => {
  const seen = { sees: [email('ana'), phone(1)] };
  const link = linkOf(email('ana'), phone(1));
  const retracted: LinkEvent = { type: 'LinkRetracted', data: { link, reason: 'two people' } };

  it('is not overruled: a link retracted stays retracted whatever comes later', async () => {
    const w = await (await worldOf(seen)).follow();
    await w.agent(retracted);
    await w.follow();
    await w.contact({ ...seen, identify: true });
    await w.contact({ ...seen, name: 'Ana Diaz' });
    await w.follow();
    expect(await w.types()).toEqual(['IdentitiesLinked', 'LinkRetracted']);
  });

  it('links what the rules keep apart, an anonymous contact too', async () => {
    const nobody: CustomerIdentifier = { type: 'conversation', value: 'c' };
    const w = await worldOf({ sees: [email('ana')] });
    const [a, b] = [idOf(email('ana')), idOf(nobody)].toSorted() as [string, string];
    await w.agent({
      type: 'IdentitiesLinked',
      data: { link: linkOf(email('ana'), nobody), a, b, evidence: 'agent', confidence: 1 },
    });
    await w.follow();
    await w.contact({ sees: [email('ana'), phone(1)] });
    await w.follow();
    expect(await w.links()).toEqual([linkOf(email('ana'), nobody), link].toSorted());
    expect(await w.types()).not.toContain('LinkRetracted');
  });

  it('confirms or rejects a proposal for good', async () => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)] }, { sees: [account('B2'), phone(1)] })).follow();
    await w.agent({ type: 'LinkConfirmed', data: { link: linkOf(account('A1'), phone(1)) } });
    await w.agent({ type: 'LinkRejected', data: { link: linkOf(account('B2'), phone(1)) } });
    await w.follow();
    await w.contact({ sees: [account('B2'), phone(1)], identify: true });
    await w.contact({ sees: [account('A1'), phone(1)], identify: true });
    await w.follow();
    expect(await w.links()).toEqual([linkOf(account('A1'), phone(1))]);
    expect((await w.types()).slice(-2)).toEqual(['LinkConfirmed', 'LinkRejected']);
  });

  it.each([1, 500])('wins a race for a link stream (batches of %d)', async (batchSize) => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)], name: 'Ana Diaz' })).follow();
    const contested = linkOf(account('A1'), phone(1));
    await w.contact({ sees: [account('B2'), phone(1)], name: 'Bruno Lee' }); // the rules will retract
    const late = await w.log();
    await w.agent({ type: 'LinkConfirmed', data: { link: contested } }); // but have not read this yet
    for (let i = 0; i < late.length; i += batchSize) await w.apply(late.slice(i, i + batchSize));
    await w.follow(batchSize);
    expect(await w.links()).toEqual([contested]);
    await w.contact({ sees: [account('B2'), phone(1)], name: 'Carla Roe' });
    await w.follow(batchSize);
    expect(await w.links()).toEqual([contested]);
    const before = await w.decisions();
    await w.loseFile();
    await w.follow(3);
    expect(await w.decisions()).toEqual(before);
  });

  it('wins when the ruling lies in the batch that would decide otherwise', async () => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)], name: 'Ana Diaz' })).follow();
    await w.contact({ sees: [account('B2'), phone(1)], name: 'Bruno Lee' });
    await w.agent({ type: 'LinkConfirmed', data: { link: linkOf(account('A1'), phone(1)) } });
    await w.follow();
    expect(await w.types()).toEqual(['IdentitiesLinked', 'LinkConfirmed']);
  });
});
