import fc from 'fast-check';
import { DEFAULT_RULES, type IdentityRules } from '#libs/domain';
import {
  account,
  closeAll,
  cookie,
  email,
  phone,
  world,
  worldOf,
  type Contact,
  type World,
} from './resolver-world.contract.js';

// Few identities, so that hubs, shared numbers and disputes all occur.
const tight: IdentityRules = {
  ...DEFAULT_RULES,
  maxNames: 2,
  limits: { ...DEFAULT_RULES.limits, phone: { neighbours: 3, holders: 3 }, cookie: { neighbours: 2, holders: 2 } },
};
const identifier = fc.constantFrom(
  account('A1'), account('B2'), email('ana'), email('ana+x'), email('bo'), phone(1), phone(2), cookie('k1'), cookie('k2'),
); // prettier-ignore
const some = (lengths: { minLength?: number; maxLength: number }) =>
  fc.uniqueArray(identifier, {
    ...lengths,
    comparator: (one, other) => one.type === other.type && one.value === other.value,
  });
const pairOf = some({ minLength: 2, maxLength: 2 });
const anyContact = fc.record<Contact>(
  {
    sees: some({ maxLength: 3 }),
    name: fc.constantFrom('Ana Diaz', 'A. Diaz', 'Bo Lee'),
    identify: fc.constant(true as const),
    day: fc.constantFrom(0, 5, 60, 120, 320),
  },
  { requiredKeys: ['sees'] },
);
const anyContacts = fc.array(anyContact, { minLength: 1, maxLength: 12 });
const resolved = async (list: readonly Contact[], batchSize: number): Promise<World> => {
  const w = world(tight);
  for (const contact of list) await w.contact(contact);
  return w.follow(batchSize);
};

describe('the log decides', () => {
  jest.setTimeout(60_000);

  it('gives the same active links for any order of arrival', async () => {
    const shuffled = anyContacts.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    await fc.assert(
      fc
        .asyncProperty(shuffled, async ([list, others]) => {
          const [one, other] = [await resolved(list, 500), await resolved(others, 500)];
          expect(await other.links()).toEqual(await one.links());
        })
        .afterEach(closeAll),
      { numRuns: 40 },
    );
  });

  it('gives the same link events whatever the batch size', async () => {
    await fc.assert(
      fc
        .asyncProperty(anyContacts, fc.integer({ min: 1, max: 7 }), async (list, batchSize) => {
          const [one, other] = [await resolved(list, 500), await resolved(list, batchSize)];
          expect((await other.decisions()).toSorted()).toEqual((await one.decisions()).toSorted());
        })
        .afterEach(closeAll),
      { numRuns: 40 },
    );
  });

  it('gives the links of a calm history when agents race the rules, and the same decisions again without the file', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: anyContact },
      fc.record({ pair: pairOf, verdict: fc.constantFrom('together', 'apart'), raced: fc.boolean() }),
    );
    const steps = fc.array(step, { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc
        .asyncProperty(steps, fc.integer({ min: 1, max: 9 }), async (list, batchSize) => {
          const racing = world(tight);
          const calm = world(tight);
          for (const one of list) {
            if ('sees' in one) {
              await racing.contact(one);
              await calm.contact(one);
              continue;
            }
            const late = one.raced ? await racing.log() : [];
            await racing.rule(one.pair, one.verdict);
            for (let i = 0; i < late.length; i += batchSize) await racing.apply(late.slice(i, i + batchSize));
            if (!one.raced) await racing.follow(batchSize);
          }
          for (const one of list) if (!('sees' in one)) await (await calm.follow()).rule(one.pair, one.verdict);
          await calm.follow();
          await racing.follow(batchSize);
          expect(await racing.links()).toEqual(await calm.links());
          const before = await racing.decisions();
          await racing.loseFile();
          await racing.follow(3);
          expect(await racing.decisions()).toEqual(before);
        })
        .afterEach(closeAll),
      { numRuns: 60 },
    );
  });

  it('appends nothing twice after the file was lost', async () => {
    await fc.assert(
      fc
        .asyncProperty(anyContacts, fc.integer({ min: 1, max: 30 }), async (list, batchSize) => {
          const w = await resolved(list, 5);
          const before = await w.decisions();
          await w.loseFile();
          await w.follow(batchSize);
          expect(await w.decisions()).toEqual(before);
        })
        .afterEach(closeAll),
      { numRuns: 40 },
    );
  });
});

describe('a crash', () => {
  const story: Contact[] = [
    { sees: [account('A1'), phone(1)], name: 'Ana Diaz' },
    { sees: [email('ana'), phone(1)], name: 'Ana Diaz' },
    { sees: [account('B2'), phone(1)], name: 'Bruno Lee' },
    { sees: [account('B2'), email('bo')], name: 'Bruno Lee' },
  ];

  it.each([1, 2, 3])(
    'after %d appends and before the commit repeats the batch and appends nothing twice',
    async (appends) => {
      const whole = await (await worldOf(...story)).follow();
      const w = await worldOf(...story);
      let done = 0;
      await w.appendingThrough(
        async (...append) => {
          if (++done > appends) throw new Error('power is gone');
          return w.store.append(...append);
        },
        () => expect(w.follow()).rejects.toThrow('power is gone'),
      );
      await w.reopen();
      await w.follow();
      expect((await w.decisions()).toSorted()).toEqual((await whole.decisions()).toSorted());
    },
  );

  it('shows nothing of a batch whose append failed, and takes the same batch again', async () => {
    const whole = await (await worldOf(...story)).follow();
    const w = await worldOf(...story);
    await w.appendingThrough(
      async (...append) => {
        await w.store.append(...append);
        throw new Error('no answer');
      },
      () => expect(w.follow()).rejects.toThrow('no answer'),
    );
    await w.follow(1);
    expect((await w.decisions()).toSorted()).toEqual((await whole.decisions()).toSorted());
  });

  it('leaves the checkpoint where the last batch ended, and earlier events are passed over', async () => {
    const w = await (await worldOf(...story)).follow();
    const before = await w.decisions();
    await w.reopen();
    await w.apply(await w.log());
    expect(await w.decisions()).toEqual(before);
  });
});
