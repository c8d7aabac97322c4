import fc from 'fast-check';
import { PositionTable } from './position-table.js';

const found = (table: PositionTable, hash: number): number[] => {
  const positions: number[] = [];
  table.find(hash, positions);
  return positions;
};

describe('PositionTable', () => {
  // Numbers that share their low bits collide, at the end of the table too.
  const hash = fc.oneof(
    fc.nat(40),
    fc.nat(40).map((n) => n * 2 ** 32 + 4095),
    fc.maxSafeNat(),
  );

  it('finds what a map of lists would, in the order added, however it grew', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 9000, size: 'max' }), (hashes) => {
        const table = new PositionTable();
        const model = new Map<number, number[]>();
        hashes.forEach((one, i) => {
          table.add(one, i + 1);
          model.set(one, [...(model.get(one) ?? []), i + 1]);
        });
        for (const [one, positions] of model) {
          expect(found(table, one)).toEqual(positions);
          expect(table.has(one)).toBe(true);
        }
        expect(found(table, 41)).toEqual(model.get(41) ?? []);
        expect(table.size).toBe(hashes.length);
        const expected = [...model].flatMap(([one, positions]) => positions.map((position) => [one, position]));
        expect(table.sorted()).toEqual(expected.toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]!));
      }),
      { numRuns: 30 },
    );
  });
});
