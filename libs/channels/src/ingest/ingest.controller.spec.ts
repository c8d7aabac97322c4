import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import fc from 'fast-check';
import { InteractionBus, type BusConsumer, type BusMessage, type DeliveryOutcome } from '#libs/bus';
import { AccessModule } from '#libs/access/access.module.js';
import { httpOptions } from '#libs/access/http-options.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { Clock, FixedClock, HubError, IdFactory } from '#libs/kernel';
import { loadSwagger } from '#libs/kernel/api-docs.js';
import { silentLogger } from '#libs/kernel/logging.js';
import { IngestModule } from './ingest.module.js';
import { registerRawBody } from './raw-body.js';

/** Records everything, or what the test says. */
class StubBus extends InteractionBus {
  calls: (readonly BusMessage[])[] = [];
  answer: (message: BusMessage) => DeliveryOutcome = ({ receipt }) => ({ status: 'recorded', receipt, position: 7 });

  publish(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]> {
    this.calls.push(messages);
    return new Promise((resolve) => resolve(messages.map((message) => this.answer(message))));
  }

  consume(): BusConsumer {
    return { stop: () => Promise.resolve() };
  }

  inFlight = () => 0;
  backlog = () => Promise.resolve(0);
  waitingFor = () => undefined;
  handledSoFar = () => Promise.resolve(true);
  close = () => Promise.resolve();
}

const clock = new FixedClock(Date.parse('2025-03-02T09:30:00.000Z'));
const ids = new IdFactory(Buffer.alloc(32, 1));
const bus = new StubBus();
let app: NestFastifyApplication;
let key: string;
let agentKey: string;

beforeAll(async () => {
  const keys = SqliteApiKeys.open({ dataDir: ':memory:', clock });
  key = (await keys.create({ tenant: 'acme', role: 'integration' })).key;
  agentKey = (await keys.create({ tenant: 'acme', role: 'agent' })).key;
  const providers = [
    { provide: InteractionBus, useValue: bus },
    { provide: IdFactory, useValue: ids },
    { provide: Clock, useValue: clock },
  ];
  const edge = { module: class Edge {}, providers, exports: [InteractionBus, IdFactory, Clock] };
  const module = await Test.createTestingModule({
    imports: [
      AccessModule.register({ keys, logger: silentLogger(), clock }),
      IngestModule.register({ imports: [edge] }),
    ],
  }).compile();
  const adapter = new FastifyAdapter(httpOptions());
  app = module.createNestApplication<NestFastifyApplication>(adapter, { bodyParser: false, logger: false });
  registerRawBody(adapter.getInstance());
  await app.init();
  await adapter.getInstance().ready();
});
afterAll(() => app.close());
beforeEach(() => {
  bus.calls = [];
  bus.answer = ({ receipt }) => ({ status: 'recorded', receipt, position: 7 });
});

const good = (over: Record<string, unknown> = {}) => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<1@mail.example>',
  kind: 'message',
  occurredAt: '2025-03-02T10:15:29+01:00',
  ...over,
});
const receiptOf = (externalId: string) => ids.interaction('acme', 'email', 'care@acme.example', externalId);

const post = (
  payload: string | Buffer | object,
  {
    type = 'application/json',
    url = '/v1/interactions',
    headers = {},
  }: { type?: string; url?: string; headers?: Record<string, string> } = {},
) =>
  app.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${key}`, ...(type ? { 'content-type': type } : {}), ...headers },
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  });

interface Answer {
  code?: string;
  detail?: string;
  results?: {
    index: number;
    status: string;
    error?: { code: string; detail: string; errors?: { path: string; message: string; allowed?: string }[] };
  }[];
  errors?: { path: string; message: string; allowed?: string }[];
}

describe('POST /v1/interactions', () => {
  it('answers 202 with the receipt of one contact', async () => {
    const answer = await post(
      good({
        endedAt: '2025-03-02T09:16:00Z',
        threadId: null,
        customer: { identifiers: [{ type: 'email', value: 'ana@example.com', verified: null }] },
      }),
    );
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({
      results: [{ index: 0, status: 'recorded', receipt: receiptOf('<1@mail.example>'), position: 7 }],
    });
    expect(JSON.parse(JSON.stringify(bus.calls))).toEqual([
      [
        {
          type: 'interaction',
          receipt: receiptOf('<1@mail.example>'),
          interaction: {
            tenant: 'acme',
            channel: 'email',
            account: 'care@acme.example',
            externalId: '<1@mail.example>',
            kind: 'message',
            direction: 'inbound',
            occurredAt: '2025-03-02T09:15:29.000Z',
            endedAt: '2025-03-02T09:16:00.000Z',
            receivedAt: '2025-03-02T09:30:00.000Z',
            customer: { identifiers: [{ type: 'email', value: 'ana@example.com' }] },
          },
        },
      ],
    ]);
  });

  it('publishes the good items of a batch in one call and answers in the order given', async () => {
    bus.answer = ({ receipt }) =>
      receipt === receiptOf('c')
        ? { status: 'parked', receipt, reason: 'conflict with an earlier version' }
        : { status: 'duplicate', receipt, position: 3 };
    const answer = await post([good({ externalId: 'a' }), good({ kind: 'letterr' }), good({ externalId: 'c' })]);
    expect(answer.statusCode).toBe(202);
    expect(bus.calls.map((call) => call.length)).toEqual([2]);
    expect(answer.json<Answer>().results).toEqual([
      { index: 0, status: 'duplicate', receipt: receiptOf('a'), position: 3 },
      {
        index: 1,
        status: 'rejected',
        error: {
          code: 'INGEST.INVALID',
          detail: '$[1].kind is "letterr"',
          errors: [
            {
              path: '$[1].kind',
              message: 'is "letterr"',
              allowed: 'message, call, visit, order, case, feedback, status, identify',
            },
          ],
        },
      },
      {
        index: 2,
        status: 'parked',
        receipt: receiptOf('c'),
        error: { code: 'INGEST.PARKED', detail: 'conflict with an earlier version' },
      },
    ]);
  });

  it.each<[string, Record<string, unknown>, string, RegExp]>([
    ['a missing field', { kind: undefined }, '$.kind', /^is missing$/],
    ['a near miss', { externalID: 'x' }, '$.externalID', /did you mean "externalId"/],
    ['a tenant', { tenant: 'globex' }, '$.tenant', /comes from the API key/],
    ['an unknown field', { color: 'red' }, '$.color', /is no field here$/],
    ['a channel of another form', { channel: 'E-Mail' }, '$.channel', /is "E-Mail"/],
    ['an instant without zone', { occurredAt: '2025-03-02T10:00:00' }, '$.occurredAt', /no instant with a zone/],
    ['a clock that is days ahead', { occurredAt: '2025-03-04T10:00:00Z' }, '$.occurredAt', /48 hours ahead/],
    ['a NUL in an id', { externalId: 'a\u0000b' }, '$.externalId', /NUL/],
    [
      'a place deep inside',
      {
        customer: {
          identifiers: [
            { type: 'email', value: 'x' },
            { type: 'Email', value: 'x' },
          ],
        },
      },
      '$.customer.identifiers[1].type',
      /is "Email"/,
    ],
    [
      'an unknown field deep inside',
      { customer: { identifiers: [{ type: 'email', value: 'x', verfied: true }] } },
      '$.customer.identifiers[0].verfied',
      /did you mean "verified"/,
    ],
    ['attributes that are not flat', { attributes: { a: { b: 1 } } }, '$.attributes', /entry "a" is an object/],
    ['attributes above 16 KiB', { attributes: { a: 'x'.repeat(17_000) } }, '$.attributes', /has 17008 bytes/],
    ['a number that loses digits', { attributes: { order: 1e19 } }, '$.attributes', /send it as text/],
  ])('explains %s', async (_name, change, path, message) => {
    const answer = await post(good(change));
    expect(answer.statusCode).toBe(422);
    const { errors, results, code } = answer.json<Answer>();
    expect(code).toBe('INGEST.REJECTED');
    expect(errors![0]).toMatchObject({ path, message: expect.stringMatching(message) as unknown });
    expect(results![0]).toMatchObject({ index: 0, status: 'rejected' });
    expect(bus.calls).toEqual([]);
  });

  it('repeats nothing personal in an error', async () => {
    const secret = 'Ana Ruiz Gómez 600123456';
    const answer = await post(
      good({
        subject: [secret],
        text: { secret },
        account: `${secret}\u0000`,
        occurredAt: secret,
        customer: { name: [secret], identifiers: [{ type: 'email', value: [secret] }] },
        attributes: { a: { secret } },
      }),
    );
    expect(answer.statusCode).toBe(422);
    expect(answer.body).not.toMatch(/Ana|600123456/);
    expect((await post(`{"name": "${secret}" "x"}`)).body).not.toMatch(/Ana|600123456/);
  });

  it('says where a body stops being JSON', async () => {
    const answer = await post('{"channel": "email",\n "account": }');
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 'REQUEST.NOT_JSON',
      detail: 'the body is not JSON: unexpected character at line 2, column 13',
    });
  });

  it('takes the good lines of NDJSON and names the bad one', async () => {
    const answer = await post(
      [
        JSON.stringify(good({ externalId: 'a' })),
        '',
        '{"channel": "email"',
        JSON.stringify(good({ externalId: 'b' })),
        '',
      ].join('\r\n'),
      { type: 'application/x-ndjson; charset=UTF-8' },
    );
    expect(answer.statusCode).toBe(202);
    expect(answer.json<Answer>().results).toMatchObject([
      { index: 0, status: 'recorded' },
      {
        index: 1,
        status: 'rejected',
        error: { code: 'INGEST.NOT_JSON', detail: 'line 3: it is not JSON: it ends too early at column 21' },
      },
      { index: 2, status: 'recorded', receipt: receiptOf('b') },
    ]);
  });

  it('takes CloudEvents, in structured, batched and binary mode', async () => {
    const data = good({ externalId: undefined, occurredAt: undefined });
    const event = {
      specversion: '1.0',
      id: 'e-1',
      source: '/shop',
      type: 'com.example.mail',
      time: '2025-03-02T09:00:00Z',
      traceparent: '00-x',
      data,
    };
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'e-1',
      'ce-source': '/shop',
      'ce-type': 'hilo.interaction.v1',
      'ce-time': event.time,
    };
    const answers = [
      await post(event, { type: 'application/cloudevents+json' }),
      await post([event], { type: 'application/cloudevents-batch+json' }),
      await post(data, { headers }),
    ];
    for (const answer of answers)
      expect(answer.json<Answer>().results).toMatchObject([{ status: 'recorded', receipt: receiptOf('e-1') }]);
    for (const [message] of bus.calls)
      expect(message).toMatchObject({ interaction: { externalId: 'e-1', occurredAt: '2025-03-02T09:00:00.000Z' } });
    const own = await post({ ...event, data: good({ externalId: 'mine' }) }, { type: 'application/cloudevents+json' });
    expect(own.json<Answer>().results).toMatchObject([{ receipt: receiptOf('mine') }]);
  });

  it('explains a broken envelope', async () => {
    const answer = await post([{ specversion: '0.3', id: '', type: 'x', datacontenttype: 'text/xml', data: 5 }], {
      type: 'application/cloudevents-batch+json',
    });
    expect(answer.statusCode).toBe(422);
    expect(answer.json<Answer>().results![0]!.error!.errors!.map((error) => error.path)).toEqual([
      '$[0].specversion',
      '$[0].id',
      '$[0].source',
      '$[0].datacontenttype',
      '$[0].data',
    ]);
    const wrongData = await post(
      { specversion: '1.0', id: '1', source: 's', type: 't', data: { channel: 5 } },
      { type: 'application/cloudevents+json' },
    );
    expect(wrongData.json<Answer>().errors![0]!.path).toBe('$.data.channel');
  });

  it.each(['text/plain', 'application/xml', 'application/json; charset=latin1', ''])(
    'lists the content types for %j',
    async (type) => {
      const answer = await post(good(), { type });
      expect(answer.statusCode).toBe(415);
      expect(answer.body).toMatch(/application\/x-ndjson|charset=utf-8/);
    },
  );

  it('refuses a compressed body instead of reading it as text', async () => {
    expect((await post(good(), { headers: { 'content-encoding': 'gzip' } })).statusCode).toBe(415);
  });

  it('refuses an empty batch, and an empty body', async () => {
    expect((await post([])).statusCode).toBe(422);
    expect((await post('\n\n', { type: 'application/x-ndjson' })).statusCode).toBe(422);
    expect((await post('')).statusCode).toBe(400);
  });

  it('takes 1000 items and 5 MiB, and no more', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => good({ externalId: String(index) }));
    expect((await post(many.slice(1))).statusCode).toBe(202);
    const tooMany = await post(many);
    expect([tooMany.statusCode, tooMany.json<Answer>().detail]).toEqual([
      413,
      'the batch has 1001 items, at most 1000 are taken at once',
    ]);
    expect(
      (await post(many.map((item) => JSON.stringify(item)).join('\n'), { type: 'application/x-ndjson' })).statusCode,
    ).toBe(413);
    const tooLarge = await post(Buffer.alloc(5 * 1024 * 1024 + 1, 0x20));
    expect([tooLarge.statusCode, tooLarge.json<Answer>().detail]).toEqual([413, 'the body is larger than 5 MiB']);
  });

  it('takes an interaction of 256 KiB, and refuses a larger one beside good ones', async () => {
    const room = 256 * 1024 - Buffer.byteLength(JSON.stringify(good({ text: '' })));
    const answer = await post([good({ text: 'x'.repeat(room) }), good({ text: 'x'.repeat(room + 1) })]);
    expect(answer.json<Answer>().results).toMatchObject([
      { status: 'recorded' },
      {
        status: 'rejected',
        error: { code: 'INGEST.TOO_LARGE', detail: 'it has 262145 bytes of JSON, at most 262144 are taken' },
      },
    ]);
  });

  it('answers 503 and takes nothing when the bus is full', async () => {
    bus.answer = () => {
      throw new HubError('BUS.FULL', 'the bus holds 20000 contacts', { retryable: true });
    };
    const answer = await post(good());
    expect([answer.statusCode, answer.headers['retry-after'], answer.json<Answer>().code]).toEqual([
      503,
      '1',
      'BUS.FULL',
    ]);
  });

  it('is for integrations and admins', async () => {
    const answers = [
      await post(good(), { headers: { authorization: `Bearer ${agentKey}` } }),
      await post(good(), { headers: { authorization: '' } }),
    ];
    expect(answers.map((answer) => answer.statusCode)).toEqual([403, 401]);
  });

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

describe('POST /v1/profiles', () => {
  it('takes a customer record under the id of its source', async () => {
    const answer = await post(
      {
        source: 'crm',
        externalId: '42',
        name: 'Ana Ruiz',
        birthDate: '1980-02-29',
        country: 'ES',
        consents: { mail: true },
      },
      { url: '/v1/profiles' },
    );
    expect(answer.statusCode).toBe(202);
    const receipt = ids.identity('acme', 'profile', 'crm:42');
    expect(bus.calls[0]).toMatchObject([
      {
        type: 'profile',
        receipt,
        profile: {
          tenant: 'acme',
          source: 'crm',
          externalId: '42',
          name: 'Ana Ruiz',
          birthDate: '1980-02-29',
          receivedAt: '2025-03-02T09:30:00.000Z',
          consents: { mail: true },
        },
      },
    ]);
  });

  it.each([
    [{ birthDate: '1981-02-29' }, '$.birthDate'],
    [{ country: 'Spain' }, '$.country'],
    [{ consents: { mail: 'yes' } }, '$.consents'],
    [{ channel: 'email' }, '$.channel'],
  ])('explains %j', async (change, path) => {
    const answer = await post({ source: 'crm', externalId: '42', ...change }, { url: '/v1/profiles' });
    expect(answer.json<Answer>().errors).toMatchObject([{ path }]);
  });
});

describe('the API document', () => {
  it('says what the check checks', async () => {
    const { DocumentBuilder, SwaggerModule } = await loadSwagger();
    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const schemas = document.components!.schemas as Record<
      string,
      { required?: string[]; properties: Record<string, Record<string, unknown>> }
    >;
    expect(schemas.InteractionDto!.required).toEqual(['channel', 'account', 'externalId', 'kind', 'occurredAt']);
    expect(schemas.InteractionDto!.properties.account).toMatchObject({ type: 'string', minLength: 1, maxLength: 200 });
    expect(schemas.CustomerDto!.properties.identifiers).toMatchObject({ type: 'array', maxItems: 50 });
  });
});
