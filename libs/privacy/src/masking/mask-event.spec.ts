import { readdirSync, readFileSync } from 'node:fs';
import { SCHEMAS } from '#libs/domain';
import { maskEvent } from './mask-event.js';

const GOLDEN = 'test/history/golden';
const stored = readdirSync(GOLDEN).map(
  (file) => JSON.parse(readFileSync(`${GOLDEN}/${file}`, 'utf8')) as { type: string; data: object },
);
/** What the invented people of these files said, and what they are called. */
const PERSONAL = /lucía|gómez|lucia@|600111222|1980-02-29|gold|pedí|pedido|the customer said|4711|mail\.example/i;

describe('a masked event', () => {
  it.each(stored.map(({ type, data }) => [type, data] as const))('%s tells nothing personal', (type, data) => {
    const masked = maskEvent(type, data);
    expect(JSON.stringify(masked)).not.toMatch(PERSONAL);
    expect(Object.keys(masked).length).toBeGreaterThan(0);
    expect(Object.keys(data)).toEqual(expect.arrayContaining(Object.keys(masked)));
  });

  it('is tried for every type that is stored', () =>
    expect([...new Set(stored.map(({ type }) => type))].toSorted()).toEqual(Object.keys(SCHEMAS).toSorted()));

  it('keeps what tells events apart, and the kind of each identifier', () => {
    const recorded = stored.find(({ type }) => type === 'InteractionRecorded')!;
    expect(maskEvent(recorded.type, recorded.data)).toMatchObject({
      channel: 'email',
      direction: 'inbound',
      identities: [
        { type: 'email', value: 'l***@***.com', verified: true },
        { type: 'phone', value: '***22' },
        { type: 'phone', blocked: true },
      ],
    });
  });

  it('is empty for a type nobody has thought of', () => {
    expect(maskEvent('SomethingNew', { text: 'secret' })).toEqual({});
    expect(maskEvent('constructor', { text: 'secret' })).toEqual({});
  });
});
