import { interactions, profiles } from '#libs/channels/ingest/inbound.js';
import { IdFactory, type InboundInteraction } from '#libs/kernel';
import { messageOfItem, valueOf } from './read-item.js';

const edge = { tenant: 'casa', ids: new IdFactory(Buffer.alloc(32)), nowMs: Date.parse('2025-06-01T00:00:00Z') };
const item = { channel: 'email', account: 'a', externalId: '1', kind: 'message', occurredAt: '2025-01-06T09:00:00Z' };
const interactionOf = (value: unknown): InboundInteraction | undefined => {
  const message = messageOfItem(interactions, value, edge);
  return 'type' in message && message.type === 'interaction' ? message.interaction : undefined;
};
const detailOf = (value: unknown): string | undefined => {
  const message = messageOfItem(interactions, value, edge);
  return 'error' in message ? message.error.detail : undefined;
};

describe('an item of an import', () => {
  it('arrives now, or when the operator says that it did', () => {
    expect(interactionOf(item)?.receivedAt).toBe('2025-06-01T00:00:00.000Z');
    expect(interactionOf({ ...item, receivedAt: '2025-01-07T10:00:00+01:00' })?.receivedAt).toBe(
      '2025-01-07T09:00:00.000Z',
    );
    expect(
      messageOfItem(profiles, { source: 'crm', externalId: '1', receivedAt: '2025-01-07T09:00:00Z' }, edge),
    ).toMatchObject({
      profile: { receivedAt: '2025-01-07T09:00:00.000Z' },
    });
  });

  it('arrives neither at no moment nor in the future', () => {
    expect(detailOf({ ...item, receivedAt: '2025-01-07' })).toBe('$.receivedAt is no instant');
    expect(detailOf({ ...item, receivedAt: '2026-01-07T09:00:00Z' })).toContain('ahead of our clock');
  });

  it('is refused as the API refuses it', () => {
    expect(detailOf({ ...item, kind: 'mesage' })).toContain('did you mean "message"?');
    expect(detailOf({ ...item, tenant: 'other' })).toContain('$.tenant');
    expect(detailOf([item])).toBe('$ is a list');
    expect(detailOf({ ...item, text: 'x'.repeat(300_000) })).toContain('at most 262144 are taken');
  });
});

describe('a line of an import', () => {
  const line = (bytes: Buffer, cut = false) => valueOf({ number: 1, bytes, cut, end: bytes.length });

  it('may begin with a byte order mark', () => {
    expect(line(Buffer.from('\ufeff{"a":1}'))).toEqual({ value: { a: 1 } });
  });

  it.each([
    ['no JSON', Buffer.from('{"a":'), false, 'INGEST.NOT_JSON'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), false, 'INGEST.NOT_JSON'],
    ['too long', Buffer.from('{}'), true, 'IMPORT.LINE_TOO_LONG'],
  ])('is refused when it is %s', (_what, bytes, cut, code) => {
    expect(line(bytes, cut)).toMatchObject({ error: { code } });
  });
});
