import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { DIRECTIONS, INTERACTION_KINDS, LIMITS, codeOf } from '#libs/kernel';
import type { ChannelAccount, ChannelAdapter, ParsedDelivery, RawDelivery } from './channel-adapter.port.js';

export interface ContractOptions {
  adapter: ChannelAdapter;
  account: ChannelAccount;
  /** Folder with `<case>.in.<ending>` as the vendor sent it and `<case>.out.json` as the hub keeps it. */
  fixtures: string;
  /** What of a delivery is not in its body: method, URL, headers. */
  frame?: (name: string, body: Buffer) => Partial<RawDelivery>;
  /** A delivery with a valid proof of its sender; absent where a sender proves nothing. */
  prove?: (delivery: RawDelivery) => RawDelivery;
  /** Whether the proof covers the body, so that a changed byte shows. @default true */
  signsBody?: boolean;
  /** Cases that are our own messages coming back. */
  echoes?: readonly string[];
  /** Promises that this format cannot keep, with a sentence each; they show as skips. */
  lacks?: { proof?: string; echoes?: string };
}

/** Our clock in fixtures. */
export const receivedAtMs = Date.UTC(2026, 2, 2, 12, 0, 0);

/** What every adapter promises, checked over its fixtures and over whatever else may arrive. */
export const channelAdapterContract = (options: ContractOptions): void => {
  const { adapter, account, fixtures, lacks = {} } = options;
  const files = readdirSync(fixtures);
  const cases = files
    .filter((file) => /\.in\.[a-z]+$/.test(file))
    .map((file) => {
      const name = file.slice(0, file.indexOf('.in.'));
      const body = readFileSync(join(fixtures, file));
      const frame = options.frame?.(name, body) ?? {};
      const plain: RawDelivery = {
        account,
        method: 'POST',
        url: `https://hub.example/v1/webhooks/${account.id}`,
        headers: { 'content-type': 'application/json' },
        body,
        receivedAtMs,
        ...frame,
      };
      return { name, delivery: options.prove?.(plain) ?? plain };
    });

  describe(`${adapter.name} keeps the promises of a channel adapter`, () => {
    it('has fixtures', () => {
      expect(cases.length).toBeGreaterThan(0);
      expect(adapter.name).toBe(account.adapter);
    });

    it.each(cases)('reads $name as the hub keeps it', async ({ name, delivery }) => {
      const expected = JSON.parse(readFileSync(join(fixtures, `${name}.out.json`), 'utf8')) as ParsedDelivery;
      expect(await adapter.parse(delivery)).toEqual(expected);
    });

    it.each(cases)('reads $name twice alike and leaves the delivery as it was', async ({ delivery }) => {
      const before = Buffer.from(delivery.body);
      expect(await adapter.parse(delivery)).toEqual(await adapter.parse(delivery));
      expect(delivery.body.equals(before)).toBe(true);
    });

    it.each(cases)('gives contacts of $name in the form of the hub alone', async ({ delivery }) => {
      expectForm(await adapter.parse(delivery), options);
    });

    it.each(cases)('gives $name the same key whenever it arrives', async ({ delivery }) => {
      const keys = (parsed: ParsedDelivery) => parsed.interactions.map((i) => i.dedupeKey);
      const later = { ...delivery, receivedAtMs: delivery.receivedAtMs + 1000 };
      expect(keys(await adapter.parse(later))).toEqual(keys(await adapter.parse(delivery)));
    });

    (lacks.proof === undefined ? it : it.skip)(`refuses a sender that proves nothing${because(lacks.proof)}`, () => {
      for (const { delivery } of cases) {
        expect(() => adapter.verify(delivery, receivedAtMs)).not.toThrow();
        if (adapter.needsSecret)
          for (const secrets of [[], ['another-secret']])
            expectRefused({ ...delivery, account: { ...account, secrets } });
        const proof = new Set(Object.keys(options.prove!({ ...delivery, headers: {} }).headers));
        const without = Object.fromEntries(Object.entries(delivery.headers).filter(([header]) => !proof.has(header)));
        if (proof.size > 0) expectRefused({ ...delivery, headers: without });
      }
    });

    (lacks.proof === undefined && options.signsBody !== false ? it : it.skip)(
      'refuses a body that was tampered with',
      () => {
        for (const { delivery } of cases) {
          const body = Buffer.from(delivery.body);
          body[body.length - 2]! ^= 0x01;
          expectRefused({ ...delivery, body });
          expectRefused({ ...delivery, body: Buffer.concat([delivery.body, Buffer.from(' ')]) });
        }
      },
    );

    (lacks.echoes === undefined ? it : it.skip)(
      `marks what we said ourselves as outbound${because(lacks.echoes)}`,
      async () => {
        expect(options.echoes?.length ?? 0).toBeGreaterThan(0);
        for (const echo of options.echoes ?? []) {
          const found = cases.find(({ name }) => name === echo)!;
          const { interactions } = await adapter.parse(found.delivery);
          expect(interactions.map((i) => i.direction)).toEqual(interactions.map(() => 'outbound'));
          expect(interactions.length).toBeGreaterThan(0);
        }
      },
    );

    it(
      'reads any JSON or says that it is unreadable',
      async () => {
        await fc.assert(
          fc.asyncProperty(fc.json({ maxDepth: 4 }), (text) => staysTotal(Buffer.from(text))),
          { numRuns: 300 },
        );
      },
      fuzzTimeoutMs,
    );

    it(
      'reads any bytes or says that they are unreadable',
      async () => {
        await fc.assert(
          fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => staysTotal(Buffer.from(bytes))),
          { numRuns: 300 },
        );
      },
      fuzzTimeoutMs,
    );

    it(
      'reads its own fixtures with any part replaced by anything',
      async () => {
        const anyPart = fc.oneof(
          fc.jsonValue({ maxDepth: 2 }),
          fc.constantFrom(1e308, -1, 2 ** 60, '', '\u0000', '\ud800', '__proto__', []),
        );
        const property = fc.asyncProperty(
          fc.constantFrom(...cases),
          fc.nat(),
          anyPart,
          async ({ delivery }, place, part) => staysTotal(replaced(delivery.body, place, part), delivery),
        );
        await fc.assert(property, { numRuns: 500 });
      },
      fuzzTimeoutMs,
    );
  });

  const expectRefused = (delivery: RawDelivery): void => expect(accepts(adapter, delivery)).toBe(false);

  const staysTotal = async (body: Buffer, like: RawDelivery = cases[0]!.delivery): Promise<void> => {
    let parsed: ParsedDelivery;
    try {
      parsed = await adapter.parse({ ...like, body });
    } catch (error) {
      expect(codeOf(error)).toBe('CHANNEL.UNREADABLE');
      return;
    }
    expectForm(parsed, options);
  };
};

/** An account for tests; the secrets are test material. */
export const accountOf = (adapter: string, over: Partial<ChannelAccount> = {}): ChannelAccount => ({
  id: `${adapter}-1`,
  tenant: 'acme',
  adapter,
  name: `${adapter}-1`,
  secrets: ['test-secret'],
  settings: {},
  ...over,
});

/** Milliseconds for a test of many random inputs on a busy machine. */
const fuzzTimeoutMs = 60_000;

/** Whether an adapter takes a delivery's sender for proven; any other failure than the refusal is thrown. */
export const accepts = (adapter: ChannelAdapter, delivery: RawDelivery): boolean => {
  try {
    adapter.verify(delivery, delivery.receivedAtMs);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'CHANNEL.UNVERIFIED') throw error;
    return false;
  }
};

const because = (why: string | undefined): string => (why === undefined ? '' : `: ${why}`);

/** The body with its `place`-th value replaced where it is JSON, with a stretch of bytes replaced elsewhere. */
const replaced = (body: Buffer, place: number, part: unknown): Buffer => {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    const at = place % (body.length + 1);
    return Buffer.concat([body.subarray(0, at), Buffer.from(JSON.stringify(part)), body.subarray(at + (place % 7))]);
  }
  let count = 0;
  JSON.stringify(value, (_key, v: unknown) => (count++, v));
  let index = 0;
  return Buffer.from(JSON.stringify(value, (_key, v: unknown) => (index++ === place % count ? part : v)) ?? 'null');
};

const keys = {
  contact: new Set(
    'channel account externalId revision kind threadId direction occurredAt timeIsOurs endedAt customer agent subject text html language outcome attachments attributes dedupeKey'.split(
      ' ',
    ),
  ),
  customer: new Set(['identifiers', 'name']),
  identifier: new Set(['type', 'value', 'verified']),
  attachment: new Set(['name', 'contentType', 'bytes', 'url', 'externalId']),
};

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

const expectOnly = (value: object, allowed: ReadonlySet<string>): void =>
  expect(Object.keys(value).filter((key) => !allowed.has(key))).toEqual([]);

const expectForm = ({ interactions, ignored }: ParsedDelivery, { adapter, account }: ContractOptions): void => {
  for (const contact of interactions) {
    expectOnly(contact, keys.contact);
    expect(contact.channel).toBe(adapter.channel);
    expect(contact.account).toBe(account.name);
    expect(contact.externalId.length).toBeGreaterThan(0);
    expect(contact.externalId.length).toBeLessThanOrEqual(512);
    expect(contact.dedupeKey).toBe(`${adapter.channel}:${account.name}:${contact.externalId}`);
    expect(contact.occurredAt).toMatch(instant);
    expect(contact.endedAt ?? contact.occurredAt).toMatch(instant);
    expect(INTERACTION_KINDS).toContain(contact.kind);
    expect(DIRECTIONS).toContain(contact.direction);
    expect(contact.revision ?? 1).toBeGreaterThanOrEqual(1);
    expect(Number.isSafeInteger(contact.revision ?? 1)).toBe(true);
    const { customer, attachments = [], attributes = {} } = contact;
    if (customer) expectOnly(customer, keys.customer);
    for (const identifier of customer?.identifiers ?? []) {
      expectOnly(identifier, keys.identifier);
      expect(identifier.value).not.toBe('');
    }
    for (const attachment of attachments) expectOnly(attachment, keys.attachment);
    for (const value of Object.values(attributes).flat())
      expect(['string', 'number', 'boolean']).toContain(typeof value);
    expect(Buffer.byteLength(JSON.stringify(attributes))).toBeLessThanOrEqual(LIMITS.attributesBytes);
    // NUL separates the parts of ids, and undefined would vanish on the bus.
    JSON.stringify(contact, (key, value: unknown) => {
      expect(`${key}${typeof value === 'string' ? value : ''}`.includes('\u0000')).toBe(false);
      return value;
    });
    expect(JSON.parse(JSON.stringify(contact))).toEqual(contact);
  }
  for (const { reason, item } of ignored) {
    expect(reason).not.toBe('');
    expect(typeof item).toBe('string');
  }
};
