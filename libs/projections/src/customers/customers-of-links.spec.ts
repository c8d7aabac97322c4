import fc from 'fast-check';
import { customersOfLinks } from './customers-of-links.js';

const customersOf = (pairs: readonly (readonly [number, number])[]) =>
  Object.fromEntries(customersOfLinks(pairs.map(([a, b]) => ({ a, b }))).map((row) => [row.identity, row.customer]));

it('makes one customer of all that links join, named by the lowest key', () => {
  expect(customersOf([[5, 4], [2, 9], [4, 9], [7, 8]])).toEqual({ 4: 2, 5: 2, 9: 2, 8: 7 }); // prettier-ignore
  expect(customersOf([])).toEqual({});
});

it('makes the same of links in any order, and of links told twice', () => {
  const pair = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }));
  const shuffled = fc
    .array(pair, { maxLength: 14 })
    .chain((pairs) =>
      fc.tuple(
        fc.constant(pairs),
        fc.shuffledSubarray([...pairs, ...pairs], { minLength: 2 * pairs.length, maxLength: 2 * pairs.length }),
      ),
    );
  fc.assert(
    fc.property(shuffled, ([pairs, others]) => {
      const customers = customersOf(pairs);
      expect(customersOf(others)).toEqual(customers);
      for (const [a, b] of pairs) expect(customers[a] ?? a).toBe(customers[b] ?? b);
      for (const [identity, customer] of Object.entries(customers)) expect(customer).toBeLessThan(Number(identity));
    }),
  );
});
