import fc from 'fast-check';
import { jsonText } from './json-text.js';

async function* each<Item>(items: readonly Item[], taken: Item[] = []): AsyncGenerator<Item> {
  for (const item of items) {
    taken.push(item);
    yield item;
  }
}

describe('a JSON object as text', () => {
  it('parses to what it was made of', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.string(), fc.array(fc.jsonValue()), fc.boolean())), async (members) => {
        const whole = Object.fromEntries(members.map(([name, items]) => [`m ${name}`, items]));
        const given = Object.entries(whole).map(([name, items], n) => [name, members[n]?.[2] ? each(items) : items]);
        let text = '';
        for await (const piece of jsonText(Object.fromEntries(given) as Record<string, unknown>)) text += piece;
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(whole)));
      }),
    ));

  it('leaves out what is undefined, and asks for an item once the text before it was taken', async () => {
    const taken: number[] = [];
    const text = jsonText({ gone: undefined, one: 1, list: each([1, 2, 3], taken) });
    const pieces: string[] = [];
    for await (const piece of text) {
      pieces.push(piece);
      if (pieces.length === 5) break;
    }
    expect(pieces.join('')).toBe('{"one":1,\n"list":[1,\n2');
    expect(taken).toEqual([1, 2]);
  });
});
