import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readUrlencoded } from '#libs/channels/shared/form-fields.js';
import { signedParameters, twilioSignature } from '#libs/channels/twilio-voice/twilio-voice.verify.js';
import { HubProcess, cleanUp, temporaryDirectory } from './hub-process.js';
import { seedOf } from './random.js';
import { within } from './waiting.js';

const RUNS = Number(process.env.HILO_MALFORMED_RUNS ?? 400);
const SEED = seedOf('HILO_MALFORMED_SEED');
/** What the hub may hold after all of it; it is content with a third of it otherwise. */
const SANE_MEMORY = 768 * 1024 * 1024;
const SECRET = 'a-secret-of-the-test';

jest.setTimeout(900_000);

const ACCOUNTS = `
accounts:
  - { id: bot, tenant: demo, adapter: telegram, secrets: [${SECRET}] }
  - { id: page, tenant: demo, adapter: messenger, secrets: [${SECRET}] }
  - { id: voice, tenant: demo, adapter: twilio-voice, secrets: [${SECRET}] }
  - { id: site, tenant: demo, adapter: segment, secrets: [${SECRET}] }
  - { id: form, tenant: demo, adapter: contact-form, settings: { allowedOrigins: ['*'] } }
`;

interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

interface Answered {
  status: number;
  type: string;
  text: string;
}

let hub: HubProcess;
let url: URL;
let agent: Agent;
let integration: string;

beforeAll(async () => {
  const dataDir = temporaryDirectory();
  const accountsFile = join(dataDir, 'accounts.yaml');
  writeFileSync(accountsFile, ACCOUNTS);
  hub = await HubProcess.start({ dataDir, env: { HILO_ACCOUNTS_FILE: accountsFile } });
  url = new URL(await hub.url());
  integration = hub.key('integration');
  agent = new Agent({ keepAlive: true, maxSockets: 8 });
});

afterAll(async () => {
  agent.destroy();
  await cleanUp();
});

/** Node's own client: `fetch` would mend or refuse half of what is sent here. */
const send = ({ method, path, headers, body }: Sent): Promise<Answered> =>
  within(
    new Promise<Answered>((resolve, reject) => {
      const options = { agent, host: url.hostname, port: url.port, method, path };
      const out = httpRequest({ ...options, headers: { ...headers, 'content-length': body.length } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, type: answer.headers['content-type'] ?? '', text }),
        );
        answer.on('error', reject);
      });
      // Who is refused for its size may find the door closed while it still sends.
      out.on('error', (error: NodeJS.ErrnoException) =>
        ['EPIPE', 'ECONNRESET'].includes(error.code ?? '')
          ? resolve({ status: 413, type: 'application/problem+json', text: error.code! })
          : reject(error),
      );
      out.end(body);
    }),
    `${method} ${path}`,
  );

/** Its standing after something odd: it answers, and takes what is right. */
const expectSound = async (): Promise<void> => {
  expect(hub.isRunning).toBe(true);
  expect((await (await hub.client('agent')).get('/livez')).status).toBe(200);
  const ordinary = { ...INTERACTION, externalId: `ordinary-${Math.random()}` };
  expect(await (await hub.client('integration')).take(ordinary)).toMatchObject([{ status: 'recorded' }]);
  expect(hub.memoryBytes()).toBeLessThan(SANE_MEMORY);
};

const INTERACTION = {
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<1@mail.example>',
  kind: 'message',
  direction: 'inbound',
  occurredAt: '2025-03-02T10:15:29.140+01:00',
  customer: {
    identifiers: [
      { type: 'email', value: 'ana@example.com', verified: true },
      { type: 'phone', value: '+34600000000' },
    ],
    name: 'Ana Ruiz',
  },
  subject: 'Where is my order?',
  text: 'I ordered on Monday.',
  attachments: [{ name: 'a.png', contentType: 'image/png', bytes: 12, url: 'https://files.example/1' }],
  attributes: { order: 'A-1', late: true, days: 3, tags: ['x', 1, null] },
};
const PROFILE = {
  source: 'crm',
  externalId: '42',
  identifiers: [{ type: 'phone', value: '+34600000000' }],
  name: 'Ana Ruiz',
  birthDate: '1980-02-29',
  country: 'ES',
  consents: { marketing: true },
};
const EVENT = { specversion: '1.0', id: 'e-1', source: '/shop', type: 'hilo.interaction.v1', data: INTERACTION };
const CALL = {
  CallSid: 'CA1',
  From: '+14155550100',
  To: '+14155550101',
  CallStatus: 'completed',
  Direction: 'inbound',
};

const fixtures = (channel: string): unknown[] => {
  const folder = join('libs', 'channels', 'src', channel, 'fixtures');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.in.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as unknown);
};

const manyLevels = (depth: number): unknown => {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

/** What no field expects. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'x\udc00y',
    '\u202e',
    '😀'.repeat(200),
    'x'.repeat(70_000),
    '2025-13-45T99:99:99Z',
    '-271821-04-20T00:00:00Z',
    '9999999999999999999',
    'javascript:alert(1)',
    0,
    -0,
    -1,
    1.5,
    2 ** 53,
    1e300,
    -1e300,
    true,
    false,
    [],
    {},
    [[]],
    [null],
    [{}],
    { length: 5 },
    { toString: 'x' },
    JSON.parse('{"__proto__": {"polluted": 1}}'),
    JSON.parse('{"constructor": {"prototype": {"polluted": 1}}}'),
    Array.from({ length: 1500 }, () => ({})),
    Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index])),
    manyLevels(40),
    manyLevels(2000),
  ),
  fc.jsonValue({ depthSize: 'small' }),
  fc.string({ unit: 'binary' }),
);

type Path = (string | number)[];

/** Every place in a value, as far as it can be looked through. */
const pathsOf = (value: unknown, path: Path = []): Path[] =>
  typeof value === 'object' && value !== null && path.length < 12
    ? [path, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]))]
    : [path];

const changedAt = (value: unknown, [key, ...rest]: Path, change: (old: unknown) => unknown): unknown => {
  if (key === undefined) return change(value);
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...(value as unknown[])] as unknown as Record<number, unknown>)
    : { ...(value as object) };
  copy[key] = changedAt(copy[key], rest, change);
  return copy;
};

const FOREIGN = ['__proto__', 'constructor', 'toString', 'tenant', '', '\u0000', 'a.b', 'length'];

/** A good body with up to four places changed into something odd. */
const changedValue = (bases: readonly unknown[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...bases),
      fc.array(fc.record({ at: fc.nat(), odd, foreign: fc.option(fc.constantFrom(...FOREIGN)) }), { maxLength: 4 }),
    )
    .map(([base, changes]) => {
      let value = base;
      for (const { at, odd: wrong, foreign } of changes) {
        const paths = pathsOf(value);
        value = changedAt(value, paths[at % paths.length]!, (old) =>
          foreign === null || typeof old !== 'object' || old === null || Array.isArray(old)
            ? wrong
            : Object.defineProperty({ ...old }, foreign, { value: wrong, enumerable: true }),
        );
      }
      return JSON.stringify(value) ?? '';
    });

const SCRAPS = [
  '"', '\\', '{', '}', '[', ']', ',', ':', '\n', '\r\n\r\n', '\u0000', '\\ud800', '"__proto__":{"x":1},', '1e400', '-', '&', '=', '%', '%zz',
  '%00', '%ff', '9'.repeat(400), '['.repeat(2000), '{"a":'.repeat(3000), 'null', '😀', '--', '------b1', '; filename="',
]; // prettier-ignore

/** A text with up to five cuts. */
const cutText = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(texts, fc.array(fc.tuple(fc.nat(), fc.constantFrom(...SCRAPS), fc.nat(40)), { maxLength: 5 }))
    .map(([text, cuts]) =>
      cuts.reduce((result, [place, scrap, length]) => {
        const at = place % (result.length + 1);
        return result.slice(0, at) + scrap + result.slice(at + length);
      }, text),
    );

const encoded = (texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 6, arbitrary: texts.map((text) => Buffer.from(text)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(texts, fc.constantFrom<BufferEncoding>('utf16le', 'latin1', 'base64'))
        .map(([text, encoding]) => Buffer.from(text, encoding)),
    },
    { weight: 1, arbitrary: texts.map((text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])) },
    { weight: 1, arbitrary: texts.map((text) => gzipSync(text)) },
  );

/** Bodies near the good ones of a route, and some that are not near anything. */
const bodiesNear = (bases: readonly unknown[]): fc.Arbitrary<Buffer> => {
  const texts = fc.oneof(
    changedValue(bases),
    cutText(changedValue(bases)),
    fc.array(changedValue(bases), { maxLength: 5 }).map((lines) => lines.join('\n')),
    fc.array(changedValue(bases), { maxLength: 5 }).map((items) => `[${items.join(',')}]`),
    fc.json(),
  );
  return fc.oneof(
    { weight: 8, arbitrary: encoded(texts) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  );
};

const TYPES = [
  'application/json',
  'application/x-ndjson',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/json;;;=',
  'APPLICATION/JSON',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=----b1',
  'multipart/form-data',
  'multipart/form-data; boundary=""',
  'text/plain',
  'application/octet-stream',
  '*/*',
  'x',
];

const extraHeaders = fc.constantFrom<Record<string, string>>(
  {},
  {},
  {},
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'br, gzip' },
  { 'ce-specversion': '1.0', 'ce-id': '%ff%zz', 'ce-source': '', 'ce-type': 'x' },
  { accept: 'text/html', origin: 'null' },
  { origin: 'https://[::1', referer: 'http://%' },
  { 'x-forwarded-for': '\u00e9\u00ff'.repeat(20) },
);

const sound = (answer: Answered): void => {
  if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
  if (answer.status >= 400 && answer.type !== '') expect(answer.type).toMatch(/json|^text\/plain/);
};

const check = async (requests: fc.Arbitrary<Sent>, runs = RUNS): Promise<Map<number, number>> => {
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(requests, async (sent) => {
      const answer = await send(sent);
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      sound(answer);
    }),
    { numRuns: runs, seed: SEED },
  );
  return seen;
};

describe('malformed bodies never end in a 5xx', () => {
  afterEach(expectSound);

  it.each([
    ['/v1/interactions', [INTERACTION, [INTERACTION, INTERACTION], EVENT, [EVENT]]],
    ['/v1/profiles', [PROFILE, [PROFILE], { ...EVENT, data: PROFILE }]],
  ])('posted to %s', async (path, bases) => {
    const requests = fc
      .tuple(bodiesNear(bases), fc.constantFrom(...TYPES.slice(0, 4), ...TYPES), extraHeaders)
      .map(([body, type, more]) => ({
        method: 'POST',
        path,
        headers: { authorization: `Bearer ${integration}`, 'content-type': type, ...more },
        body,
      }));
    const seen = await check(requests);
    expect([...seen.keys()]).toEqual(expect.arrayContaining([202, 400, 415, 422]));
  });

  it.each([
    ['telegram', '/v1/webhooks/bot'],
    ['messenger', '/v1/webhooks/page'],
  ])('in a %s delivery with a right signature', async (channel, path) => {
    const requests = bodiesNear(fixtures(channel)).map((body) => ({
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        'x-telegram-bot-api-secret-token': SECRET,
        'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
      },
      body,
    }));
    expect([...(await check(requests)).keys()]).toEqual([200]);
  });

  it('in a call of Twilio with a right signature', async () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...Object.values(CALL), '\u0000', '\ud800'));
    const fields = fc.dictionary(fc.constantFrom(...Object.keys(CALL), ...FOREIGN, 'Timestamp'), value);
    const texts = cutText(
      fields.map((given) =>
        Object.entries({ ...CALL, ...given })
          .map(([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(text.toWellFormed())}`)
          .join('&'),
      ),
    );
    const path = '/v1/webhooks/voice';
    const requests = texts.map((text) => {
      const body = Buffer.from(text);
      const signed = `${url.origin}${path}${signedParameters(readUrlencoded(body.toString('utf8')))}`;
      return {
        method: 'POST',
        path,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-twilio-signature': twilioSignature(SECRET, signed),
        },
        body,
      };
    });
    expect([...(await check(requests)).keys()]).toEqual([200]);
  });

  it('in a tracking call of a known source', async () => {
    const names = ['track', 'identify', 'page', 'alias', 'batch'];
    const requests = fc
      .tuple(bodiesNear(fixtures('segment')), fc.constantFrom(...names), fc.constantFrom(...TYPES), extraHeaders)
      .map(([body, name, type, more]) => ({
        method: 'POST',
        path: `/v1/${name}`,
        headers: {
          'content-type': type,
          authorization: `Basic ${Buffer.from(`${SECRET}:`).toString('base64')}`,
          ...more,
        },
        body,
      }));
    expect([...(await check(requests)).keys()]).toContain(200);
  });

  it('in a contact form', async () => {
    const folder = join('libs', 'channels', 'src', 'contact-form', 'fixtures');
    const texts = cutText(
      fc.constantFrom(
        ...readdirSync(folder)
          .filter((file) => file.includes('.in.'))
          .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll(/\r?\n/g, '\r\n')),
      ),
    );
    const requests = fc
      .tuple(
        fc.oneof(encoded(texts), bodiesNear([{ email: 'ana@example.com', message: 'Hello' }])),
        fc.constantFrom(...TYPES, 'multipart/form-data; boundary=----b1', 'application/x-www-form-urlencoded'),
        extraHeaders,
      )
      .map(([body, type, more]) => ({
        method: 'POST',
        path: '/v1/forms/form',
        headers: { origin: 'https://www.example.com', 'content-type': type, ...more },
        body,
      }));
    expect([...(await check(requests)).keys()]).toContain(200);
  });

  it('with any method, at any address, with and without a key', async () => {
    const requests = fc
      .tuple(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'),
        fc.constantFrom(
          '/v1/interactions', '/v1/interactions/%00', '/v1/interactions/..%2f..%2fetc', '/v1/customers?identifier=%ff', '/v1/customers?identifier=email:%00',
          '/v1/customers/__proto__/timeline', '/v1/customers/%ed%a0%80/timeline?limit=NaN', '/v1/conversations/constructor', '/v1/receipts/toString',
          '/v1/customers?identifier[]=x&identifier[__proto__]=y', '/v1/history/events?position=1e9&types=%00', '/v1/webhooks/__proto__', '/v1/webhooks/bot',
          '/v1/forms/constructor', '/v1/projects/__proto__/settings', '/v1/track', '/v1/%zz', '/%', '//', '/docs/..%5c', `/v1/${'x'.repeat(3000)}`,
        ), // prettier-ignore
        fc.constantFrom(
          undefined,
          'Bearer',
          'Bearer  ',
          'Basic ::',
          'Bearer x',
          ...(['agent', 'analyst', 'admin'] as const),
        ),
        bodiesNear([INTERACTION]),
      )
      .map(([method, path, caller, body]) => {
        const key = caller === 'agent' || caller === 'analyst' || caller === 'admin' ? hub.key(caller) : undefined;
        const authorization = key === undefined ? caller : `Bearer ${key}`;
        return {
          method,
          path,
          headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
          body: ['GET', 'HEAD', 'OPTIONS'].includes(method) ? Buffer.alloc(0) : body,
        };
      });
    const seen = await check(requests);
    expect([...seen.keys()]).toEqual(expect.arrayContaining([400, 401, 404]));
  });
});

describe('bodies that are too much', () => {
  afterEach(expectSound);

  const limit = 5 * 1024 * 1024;
  const filled = (part: string, bytes: number): Buffer => Buffer.alloc(bytes, part);
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const bodies: [string, string, () => Buffer, number[]][] = [
    ['a byte more than the limit', 'application/json', () => filled(' ', limit + 1), [413]],
    ['ten times the limit', 'application/json', () => filled('x', 10 * limit), [413]],
    ['a million brackets', 'application/json', () => filled('[', limit), [400]],
    ['a million objects, one in the other', 'application/json', () => filled('{"a":', limit), [400]],
    ['brackets in every line', 'application/x-ndjson', () => filled(`${'['.repeat(5000)}\n`, limit), [413, 422]],
    ['nothing but line feeds', 'application/x-ndjson', () => filled('\n', limit), [422]],
    ['a line that never ends', 'application/x-ndjson', () => filled('"x', limit), [422]],
    ['1001 items', 'application/json', () => json(Array.from({ length: 1001 }, () => INTERACTION)), [413]],
    ['a million empty items', 'application/json', () => filled('[{},', limit).fill(']', limit - 1), [400, 413]],
    ['1000 items with 500 wrong fields each', 'application/json', () => json(Array.from({ length: 1000 }, () => Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`f${n}`, n])))), [422]],
    ['a key of a megabyte', 'application/json', () => json({ ...INTERACTION, ['k'.repeat(2 ** 20)]: 1 }), [422]],
    ['an interaction above 256 KiB', 'application/json', () => json({ ...INTERACTION, text: 'x'.repeat(300_000) }), [422]],
    ['a number of a million digits', 'application/json', () => Buffer.from(`{"revision":${'9'.repeat(2 ** 20)}}`), [422]],
    ['a million escapes', 'application/json', () => Buffer.from(`{"text":"${'\\ud800'.repeat(800_000)}"}`), [422]],
    ['a bomb of gzip', 'application/json', () => gzipSync(Buffer.alloc(50 * limit)), [400]],
    ['a cloud of empty events', 'application/cloudevents-batch+json', () => json(Array.from({ length: 1000 }, () => ({}))), [422]],
  ]; // prettier-ignore

  it.each(bodies)('%s', async (_name, type, body, allowed) => {
    const headers = { authorization: `Bearer ${integration}`, 'content-type': type };
    const answer = await send({ method: 'POST', path: '/v1/interactions', headers, body: body() });
    expect(allowed).toContain(answer.status);
  });

  it.each(['/v1/webhooks/bot', '/v1/webhooks/voice', '/v1/forms/form', '/v1/track'])('at %s', async (path) => {
    const headers = {
      'content-type': 'application/json',
      'x-telegram-bot-api-secret-token': SECRET,
      origin: 'https://a',
    };
    for (const body of [filled(' ', limit + 1), filled('[', limit), filled('{"a":', limit), filled('a=b&', limit)]) {
      const answer = await send({ method: 'POST', path, headers, body });
      expect(answer.status).toBeLessThan(500);
      const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
      expect((await send({ method: 'POST', path, headers: form, body })).status).toBeLessThan(500);
      const parts = { ...headers, 'content-type': 'multipart/form-data; boundary=b' };
      expect((await send({ method: 'POST', path, headers: parts, body })).status).toBeLessThan(500);
    }
  });

  it('many of them at once', async () => {
    const headers = { authorization: `Bearer ${integration}`, 'content-type': 'application/json' };
    const body = json(Array.from({ length: 1000 }, () => ({ ...INTERACTION, text: 'x'.repeat(4000), color: 'red' })));
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => send({ method: 'POST', path: '/v1/interactions', headers, body })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([422]));
  });
});

describe('what is no HTTP at all', () => {
  afterEach(expectSound);

  /** Sends bytes, and reads until the hub closes or a moment has passed. */
  const talk = (...parts: (string | Buffer)[]): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(Number(url.port), url.hostname);
      let heard = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        heard += text;
        socket.end();
      });
      socket.on('error', () => undefined).on('close', () => resolve(heard));
      socket.setTimeout(2000, () => socket.destroy());
      for (const part of parts) socket.write(part);
    });

  it.each<[string, (string | Buffer)[]]>([
    ['noise', [Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256))]],
    ['a length that is a lie', ['POST /v1/interactions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n', 'x'.repeat(500)]],
    ['two lengths', ['POST /v1/interactions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde']],
    ['length and chunks', ['POST /v1/interactions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n']],
    ['a chunk that never comes', ['POST /v1/interactions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nx']],
    ['a chunk without a size', ['POST /v1/interactions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n']],
    ['headers without end', [`GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}`]],
    ['a thousand headers', [`GET /livez HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(3000)}\r\n`]],
    ['a NUL in a header', ['GET /livez HTTP/1.1\r\nHost: x\r\nX: a\u0000b\r\n\r\n']],
    ['an address of binary', [Buffer.concat([Buffer.from('GET /'), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from(' HTTP/1.1\r\nHost: x\r\n\r\n')])]],
    ['no host', ['GET /livez HTTP/1.1\r\n\r\n']],
    ['another protocol', ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']],
    ['a half request', ['POST /v1/inter']],
  ])('%s', async (_name, parts) => {
    const heard = await talk(...parts);
    expect(heard).not.toMatch(/^HTTP\/1\.1 5/);
  }); // prettier-ignore
});
