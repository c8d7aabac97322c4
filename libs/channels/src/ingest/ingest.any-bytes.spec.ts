import fc from 'fast-check';
import { IngestEdge, good } from './ingest-edge.contract.js';

const { bus, post } = new IngestEdge();

describe('POST /v1/interactions', () => {
  it('never answers 500, whatever the bytes', async () => {
    const types = [
      'application/json',
      'application/x-ndjson',
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
    ];
    const text = JSON.stringify([
      good({ attributes: { a: [1, 'x'] }, customer: { identifiers: [{ type: 'email', value: 'x' }] } }),
    ]);
    const event = JSON.stringify({ specversion: '1.0', id: '1', source: 's', type: 't', data: good() });
    const scraps = fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '\n',
      '\u0000',
      '\\ud800',
      '"__proto__":{"x":1},',
      '"constructor":{"prototype":{}},',
      '1e400',
      '-',
      '9'.repeat(400),
      '['.repeat(100),
      '{"a":'.repeat(3000),
      'null',
      '😀',
    );
    const mutated = fc
      .tuple(
        fc.constantFrom(text, text.slice(1, -1), event, `[${event}]`),
        fc.array(fc.tuple(fc.nat(), scraps, fc.nat(12)), { maxLength: 4 }),
      )
      .map(([base, cuts]) => {
        let result = base;
        for (const [place, scrap, length] of cuts) {
          const at = place % (result.length + 1);
          result = result.slice(0, at) + scrap + result.slice(at + length);
        }
        return Buffer.from(result);
      });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc.json().map((json) => Buffer.from(json)),
      mutated,
      mutated,
    );
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(...types), fc.boolean(), async (body, type, profile) => {
        const answer = await post(body, { type, url: profile ? '/v1/profiles' : '/v1/interactions' });
        seen.add(answer.statusCode);
        expect([202, 400, 413, 415, 422]).toContain(answer.statusCode);
      }),
      { numRuns: 2000 },
    );
    expect([...seen]).toEqual(expect.arrayContaining([202, 400, 422]));
    for (const call of bus.calls)
      for (const message of call) expect(Object.keys(Object.getPrototypeOf(message) as object)).toEqual([]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  }, 60_000);
});
