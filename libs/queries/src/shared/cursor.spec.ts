import fc from 'fast-check';
import { cursorOf, pageOf, placeOf, readCursor, startOf, type TimelinePlace } from './cursor.js';

const byPlace = (a: TimelinePlace, b: TimelinePlace) => a.occurredAt - b.occurredAt || a.position - b.position;

/** What a store answers: rows in the direction of the question, one more than the limit. */
const ask = (rows: readonly TimelinePlace[], bounds: { limit: number; before?: string; after?: string }) => {
  const { place, newer } = startOf(bounds);
  const sorted = newer ? rows.toSorted(byPlace) : rows.toSorted((a, b) => byPlace(b, a));
  const from = place ? sorted.filter((row) => (newer ? byPlace(row, place) > 0 : byPlace(row, place) < 0)) : sorted;
  return pageOf(from.slice(0, bounds.limit + 1), bounds);
};

const timeline = fc
  .uniqueArray(fc.nat(500), { maxLength: 40 })
  .chain((positions) =>
    fc.tuple(...positions.map((position) => fc.nat(5).map((occurredAt) => ({ occurredAt, position })))),
  );

describe('cursors', () => {
  it('lead through every entry once, to the oldest and back to the newest', () => {
    fc.assert(
      fc.property(timeline, fc.integer({ min: 1, max: 7 }), (rows, limit) => {
        const expected = rows.toSorted((a, b) => byPlace(b, a));
        const older: TimelinePlace[] = [];
        let page = ask(rows, { limit });
        older.push(...page.rows);
        while (page.cursors.next) {
          page = ask(rows, { limit, before: page.cursors.next });
          older.push(...page.rows);
        }
        expect(older).toEqual(expected);

        const newer = [...page.rows];
        while (page.cursors.previous) {
          page = ask(rows, { limit, after: page.cursors.previous });
          newer.unshift(...page.rows);
        }
        expect(newer).toEqual(expected);
      }),
    );
  });

  it('come back as the place they stand for', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e13 }), fc.nat(), (occurredAt, position) => {
        expect(placeOf(cursorOf({ occurredAt, position }), 'before')).toEqual({ occurredAt, position });
      }),
    );
  });

  it('belong to one past, or to the present', () => {
    const place = { occurredAt: 7, position: 3 };
    const asOf = { position: 12, instant: 1_772_442_900_000 };
    for (const past of [asOf, { position: 12 }]) {
      const cursor = cursorOf(place, past);
      expect(readCursor(cursor, 'before')).toEqual({ place, asOf: past });
      expect(placeOf(cursor, 'before', { position: 12 })).toEqual(place);
      expect(() => placeOf(cursor, 'before', { position: 11 })).toThrow(/^before: is a cursor of asOfPosition=12/);
      expect(() => placeOf(cursor, 'after')).toThrow(/^after: is a cursor of asOfPosition=12/);
    }
    expect(() => placeOf(cursorOf(place), 'before', asOf)).toThrow(/^before: is a cursor of the present/);
    const { cursors } = pageOf([place, { occurredAt: 6, position: 2 }], { limit: 1, asOf });
    expect(readCursor(cursors.next!, 'before').asOf).toEqual(asOf);
  });

  it.each(['', 'nonsense', 'MTIz', Buffer.from('1.2.3').toString('base64url')])(
    'refuses %j, naming the parameter',
    (text) => {
      expect(() => placeOf(text, 'after')).toThrow(/^after: is not a cursor/);
    },
  );
});
