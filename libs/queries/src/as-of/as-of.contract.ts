import fc from 'fast-check';
import { uuidOfBytes } from '#libs/kernel';
import type { ReadModel } from '#libs/projections';
import { everything, filter } from './as-of-answers.contract.js';
import { step } from './as-of-steps.contract.js';
import { hubOf } from './as-of-story.contract.js';
import { Past } from './past.js';

/** That the past is what replaying the log up to there gives, on every engine of the read model. */
export const asOfContract = (name: string, open: () => Promise<ReadModel>, runs: number): void => {
  describe(`the past in ${name}`, () => rules(open, runs));
};

const rules = (open: () => Promise<ReadModel>, numRuns: number): void => {
  it('is what replaying the log up to there gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 2 }),
        filter,
        fc.record({ limit: fc.integer({ min: 1, max: 4 }), body: fc.boolean() }),
        async (steps, percents, filtered, how) => {
          const hub = await hubOf(steps, open);
          const head = await hub.store.head();
          for (const percent of [...percents, 100]) {
            const position = Math.round((percent * head) / 100);
            const asOf = await hub.asOf.shown('acme', { asOfPosition: `${position}` });
            const replayed = await hub.replayedTo(position);
            const question = { ...filtered, ...how };
            expect(await everything(hub, question, asOf)).toEqual(await everything(replayed, question));

            const keys = (await replayed.readModel.db.selectFrom('identity').select('key').execute()).map((i) => i.key);
            const links = await hub.readModel.snapshot((db) => new Past(db, position).links(keys));
            const { db } = replayed.readModel;
            const rows = await db.selectFrom('link').selectAll().orderBy('key').execute();
            expect(links.map(({ id, ...link }) => ({ ...link, id: uuidOfBytes(id) }))).toEqual(
              rows.map(({ tenant: _, id, ...link }) => ({ ...link, id: uuidOfBytes(id) })),
            );
            await replayed.close();
          }
          await hub.close();
        },
      ),
      { numRuns },
    );
  }, 300_000);
};
