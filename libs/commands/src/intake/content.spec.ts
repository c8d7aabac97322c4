import { IdFactory } from '#libs/kernel';
import { inboundInteraction } from '#libs/testing';
import { ContentReader } from './content.js';

const reader = () => new ContentReader(new IdFactory(Buffer.alloc(32, 7)), { countryOf: () => 'US' });
const read = (over: Parameters<typeof inboundInteraction>[0] = {}) => reader().interaction(inboundInteraction(over));

describe('the content kept of a contact', () => {
  it('has the same fingerprint for a redelivery, whatever our clock and the order of its attributes', () => {
    const once = read({ attributes: { a: 1, b: [1, 2] } });
    const again = read({ attributes: { b: [1, 2], a: 1 }, receivedAt: '2025-06-01T00:00:00.000Z' });
    expect(again.digest).toBe(once.digest);
  });

  it('has another fingerprint for any other word of the provider', () => {
    const digests = [
      {},
      { text: 'Other' },
      { subject: 'Other' },
      { outcome: 'answered' },
      { occurredAt: '2025-03-02T09:15:00.001Z' },
      { customer: { identifiers: [{ type: 'email', value: 'ana@example.com', verified: true }], name: 'Ana Ruiz' } },
      { attributes: { a: 1 } },
      { attributes: { a: '1' } },
    ].map((over) => read(over).digest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('takes a time of ours for no word of the provider', () => {
    const digest = (occurredAt: string) => read({ occurredAt, timeIsOurs: true }).digest;
    expect(digest('2025-03-02T09:15:00.000Z')).toBe(digest('2025-03-02T09:18:00.000Z'));
  });

  it('derives equal identities from other spellings, and each only once', () => {
    const content = read({
      customer: {
        identifiers: [
          { type: 'email', value: ' Ana@Example.COM ' },
          { type: 'email', value: 'ana@example.com', verified: true },
          { type: 'phone', value: '(214) 555-0100' },
        ],
      },
    });
    expect(content.identities.map(({ type, value, verified }) => ({ type, value, verified }))).toEqual([
      { type: 'email', value: 'ana@example.com', verified: true },
      { type: 'phone', value: '+12145550100', verified: undefined },
    ]);
    expect(content.anchor).toBe(content.identities[0]!.identity);
  });

  it('gives a contact without a usable identifier to its conversation', () => {
    const withheld = read({ threadId: 't1', customer: { identifiers: [{ type: 'phone', value: 'anonymous' }] } });
    const sameThread = read({ threadId: 't1', externalId: 'other', customer: undefined });
    const otherThread = read({ threadId: 't2', customer: undefined });
    expect(withheld.identities).toMatchObject([{ type: 'phone', blocked: true }, { type: 'conversation' }]);
    expect(sameThread.anchor).toBe(withheld.anchor);
    expect(otherThread.anchor).not.toBe(withheld.anchor);
  });

  it('keeps tenants apart', () => {
    expect(read({ tenant: 'one' }).anchor).not.toBe(read({ tenant: 'two' }).anchor);
  });
});
