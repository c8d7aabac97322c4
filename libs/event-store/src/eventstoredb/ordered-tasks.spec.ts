import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { OrderedTasks } from './ordered-tasks.js';

describe('OrderedTasks', () => {
  it('keeps the order of a key and the bound, whatever the tasks take', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), turns: fc.nat(4), fails: fc.boolean() }), {
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 4 }),
        async (tasks, bound) => {
          const queue = new OrderedTasks(bound);
          const running: string[] = [];
          const finished: Record<string, number[]> = {};
          let most = 0;
          const added = tasks.map(({ key, turns, fails }, i) =>
            queue.add(key, async () => {
              expect(running).not.toContain(key);
              running.push(key);
              most = Math.max(most, running.length);
              for (let turn = 0; turn < turns; turn++) await nextTurn();
              running.splice(running.indexOf(key), 1);
              (finished[key] ??= []).push(i);
              if (fails) throw new Error(String(i));
              return i;
            }),
          );
          const settled = await Promise.allSettled(added);
          await queue.idle();
          expect(settled.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'))).toEqual(
            tasks.map(({ fails }, i) => (fails ? 'failed' : i)),
          );
          for (const order of Object.values(finished)) expect(order).toEqual(order.toSorted((a, b) => a - b));
          expect(most).toBeLessThanOrEqual(bound);
          expect(queue.waiting).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('lets no key wait for another below the bound', async () => {
    const queue = new OrderedTasks(2);
    let release = (): void => undefined;
    const stuck = queue.add('a', () => new Promise<void>((resolve) => (release = resolve)));
    const behind = queue.add('a', async () => 'behind');
    expect(await queue.add('b', async () => 'past')).toBe('past');
    expect(queue.waiting).toBe(1);
    release();
    await stuck;
    expect(await behind).toBe('behind');
  });
});
