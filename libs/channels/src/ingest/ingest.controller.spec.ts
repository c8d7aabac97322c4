import { HubError } from '#libs/kernel';
import { IngestEdge, good, type Answer } from './ingest-edge.contract.js';

const edge = new IngestEdge();
const { bus, ids, post, receiptOf } = edge;

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
      await post(good(), { headers: { authorization: `Bearer ${edge.agentKey}` } }),
      await post(good(), { headers: { authorization: '' } }),
    ];
    expect(answers.map((answer) => answer.statusCode)).toEqual([403, 401]);
  });
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
});
