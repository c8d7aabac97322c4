import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountOf, channelAdapterContract, receivedAtMs } from '../channel-adapter.contract.js';
import type { RawDelivery } from '../channel-adapter.port.js';
import { SegmentAdapter } from './segment.adapter.js';
import { accountOfKey, writeKeyOf } from './segment.verify.js';

const adapter = new SegmentAdapter();
const account = accountOf('segment', { secrets: ['TESTWRITEKEY'] });
const deliver = (path: string, body: unknown, headers: Record<string, string> = {}): RawDelivery => ({
  account,
  method: 'POST',
  url: `https://hub.example/v1/${path}`,
  headers: { 'content-type': 'text/plain', ...headers },
  body: Buffer.from(JSON.stringify(body)),
  receivedAtMs,
});

channelAdapterContract({
  adapter,
  account,
  fixtures: join(import.meta.dirname, 'fixtures'),
  frame: (name) => ({ url: `https://hub.example/v1/${name}`, headers: { 'content-type': 'text/plain' } }),
  prove: (delivery) => delivery,
  signsBody: false,
  lacks: { echoes: 'tracking tells only what visitors do' },
});

describe('segment', () => {
  const base = { anonymousId: 'c-1', messageId: 'm-1' };
  const parse = (path: string, body: unknown) => adapter.parse(deliver(path, body));
  const at = (fields: object) => parse('p', { ...base, ...fields }).interactions[0]!.occurredAt;

  it.each([
    [
      'corrects the time by how wrong the clock was when it sent',
      { timestamp: '2026-03-02T09:00:00Z', sentAt: '2026-03-02T09:00:10Z' },
      '2026-03-02T11:59:50.000Z',
    ],
    ['keeps an import from the past', { timestamp: '2020-01-01T00:00:00Z' }, '2020-01-01T00:00:00.000Z'],
    ['reads loose dates', { timestamp: '2015-2-02T00:30:08.276Z' }, '2015-02-02T00:30:08.276Z'],
    ['does not believe the future', { timestamp: '2030-01-01T00:00:00Z' }, '2026-03-02T12:00:00.000Z'],
    [
      'falls back to the time as given where the correction points ahead',
      { timestamp: '2026-03-02T11:00:00Z', sentAt: '2026-03-02T10:00:00Z' },
      '2026-03-02T11:00:00.000Z',
    ],
    ['takes our clock where there is none', {}, '2026-03-02T12:00:00.000Z'],
  ])('%s', (_rule, fields, expected) => {
    expect(at(fields)).toBe(expected);
  });

  it('takes one-letter paths and types in the body', () => {
    expect(parse('i', { ...base, userId: 'u' }).interactions[0]?.kind).toBe('identify');
    expect(parse('b', { batch: [{ ...base, type: 'page' }] }).interactions[0]?.kind).toBe('visit');
  });

  it('joins the ids of an alias and claims nothing as verified', () => {
    const [alias] = parse('a', { previousId: 'c-1', userId: 'u-1', messageId: 'm' }).interactions;
    expect(alias?.customer?.identifiers).toEqual([
      { type: 'account', value: 'u-1', verified: false },
      { type: 'cookie', value: 'c-1' },
    ]);
  });

  it('merges the context of a batch under that of an event', () => {
    const page = { title: 'From batch', path: '/x' };
    const { interactions } = parse('batch', {
      context: { locale: 'es-ES', page },
      batch: [
        { ...base, type: 'page' },
        { ...base, type: 'page', context: { locale: 'fr-FR' } },
      ],
    });
    expect(interactions.map((i) => [i.subject, i.attributes?.locale])).toEqual([
      ['From batch', 'es-ES'],
      ['From batch', 'fr-FR'],
    ]);
  });

  it('parks the bad events of a batch and takes the good ones', () => {
    const parsed = parse('batch', {
      batch: [
        { type: 'track', event: 'X' },
        { ...base, type: 'page' },
        5,
        { ...base, type: 'nonsense' },
        { ...base, type: 'page', name: 'x'.repeat(40_000) },
      ],
    });
    expect(parsed.interactions).toHaveLength(1);
    expect(parsed.rejected?.map(({ item, reason }) => [item, reason.split(':', 1)[0]])).toEqual([
      ['batch[0]', 'invalid'],
      ['batch[2]', 'invalid'],
      ['batch[3]', 'invalid'],
      ['batch[4]', 'too-large'],
    ]);
  });

  it('lets an account say which events are contacts', () => {
    const own = accountOf('segment', {
      settings: { events: { 'Callback Requested': 'case', 'Order Completed': 'ignore' } },
    });
    const read = (event: string) => adapter.parse({ ...deliver('t', { ...base, event }), account: own });
    expect(read('callback requested').interactions[0]?.kind).toBe('case');
    expect(read('Order Completed').ignored).toEqual([{ reason: 'unmapped-event', item: 'm-1' }]);
  });

  it('allows pages of the declared origins alone to read the answer', () => {
    const cors = (origin: string, allowedOrigins: string[]) =>
      adapter.answer({
        ...deliver('t', {}, { origin }),
        account: accountOf('segment', { settings: { allowedOrigins } }),
      }).headers?.['access-control-allow-origin'];
    expect(cors('https://shop.example', ['https://shop.example'])).toBe('https://shop.example');
    expect(cors('https://evil.example', ['https://shop.example'])).toBeUndefined();
    expect(cors('https://evil.example', ['*'])).toBe('*');
  });

  it('finds the account by any of its keys and by no other', () => {
    expect(accountOfKey('TESTWRITEKEY', [accountOf('segment'), account])).toBe(account);
    expect(accountOfKey('nope', [account])).toBeUndefined();
    expect(accountOfKey(undefined, [accountOf('segment', { secrets: [''] })])).toBeUndefined();
  });

  const vectors = '../shared/fixtures/channels/signatures/segment.json';
  interface Vector { writeKey: string; authorization: string | null; bodyWriteKey?: string; valid: boolean | string } // prettier-ignore

  (existsSync(vectors) ? describe : describe.skip)('where the shared files are', () => {
    it('agrees with the published ways to carry a write key', () => {
      const { vectors: all } = JSON.parse(readFileSync(vectors, 'utf8')) as { vectors: Vector[] };
      for (const { writeKey, authorization, bodyWriteKey, valid } of all) {
        const key = writeKeyOf(
          authorization === null ? {} : { authorization },
          Buffer.from(JSON.stringify({ writeKey: bodyWriteKey })),
        );
        expect(accountOfKey(key, [accountOf('segment', { secrets: [writeKey] })]) !== undefined).toBe(valid !== false);
      }
    });
  });
});
