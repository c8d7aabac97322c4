import { IngestEdge, good, type Answer } from './ingest-edge.contract.js';

const { bus, post, receiptOf } = new IngestEdge();

describe('POST /v1/interactions', () => {
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
});
