import { loadSwagger } from '#libs/kernel/api-docs.js';
import { IngestEdge, good, type Answer } from './ingest-edge.contract.js';

const edge = new IngestEdge();
const { bus, post } = edge;

describe('POST /v1/interactions', () => {
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
});

describe('POST /v1/profiles', () => {
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
    const document = SwaggerModule.createDocument(edge.app, new DocumentBuilder().build());
    const schemas = document.components!.schemas as Record<
      string,
      { required?: string[]; properties: Record<string, Record<string, unknown>> }
    >;
    expect(schemas.InteractionDto!.required).toEqual(['channel', 'account', 'externalId', 'kind', 'occurredAt']);
    expect(schemas.InteractionDto!.properties.account).toMatchObject({ type: 'string', minLength: 1, maxLength: 200 });
    expect(schemas.CustomerDto!.properties.identifiers).toMatchObject({ type: 'array', maxItems: 50 });
  });
});
