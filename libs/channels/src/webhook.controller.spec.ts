import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { HubSettings } from '#libs/kernel/settings.js';
import { AccountDirectory } from './accounts/account-directory.port.js';
import { accountOf } from './channel-adapter.contract.js';
import { registerRawBody } from './ingest/raw-body.js';
import { DeliveryIntake } from './intake/delivery-intake.js';
import { recordingEdge } from './intake/recording-edge.contract.js';
import { SegmentController } from './segment/segment.controller.js';
import { signedParameters, twilioSignature } from './twilio-voice/twilio-voice.verify.js';
import { readUrlencoded } from './shared/form-fields.js';
import { WebhookController } from './webhook.controller.js';

const accounts = [
  accountOf('telegram'),
  accountOf('twilio-voice'),
  accountOf('messenger', { settings: { verifyToken: 'shared-verify-token' } }),
  accountOf('contact-form', { settings: { allowedOrigins: ['https://www.example.com'] } }),
  accountOf('segment', { secrets: ['TESTWRITEKEY'], settings: { allowedOrigins: ['https://shop.example'] } }),
];

describe('the doors of the edge', () => {
  let app: NestFastifyApplication;
  const parts = recordingEdge(accounts);
  const settings = Object.assign(new HubSettings(), { publicUrl: 'https://hub.example/base/' });

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      controllers: [WebhookController, SegmentController],
      providers: [
        { provide: DeliveryIntake, useValue: parts.intake },
        { provide: AccountDirectory, useValue: parts.directory },
        { provide: HubSettings, useValue: settings },
      ],
    }).compile();
    const fastify = new FastifyAdapter();
    app = module.createNestApplication<NestFastifyApplication>(fastify, { bodyParser: false });
    registerRawBody(fastify.getInstance());
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });

  afterAll(() => app.close());

  const call = (method: 'GET' | 'POST' | 'OPTIONS', url: string, body = '', headers: Record<string, string> = {}) =>
    app.inject({ method, url, headers, ...(body === '' ? {} : { payload: body }) });

  it('takes a webhook signed for the configured address, not for the one it was reached at', async () => {
    const body = 'CallSid=CA9&CallStatus=busy&From=%2B15125550142&Timestamp=Mon%2C+02+Mar+2026+10%3A00%3A00+%2B0000';
    const signature = (url: string) => twilioSignature('test-secret', url + signedParameters(readUrlencoded(body)));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const path = '/v1/webhooks/twilio-voice-1?x=1';
    const good = await call('POST', path, body, {
      ...headers,
      'x-twilio-signature': signature(`https://hub.example/base${path}`),
    });
    expect([good.statusCode, good.headers['content-type'], good.body]).toEqual([
      200,
      'text/xml; charset=utf-8',
      '<Response/>',
    ]);
    const bad = await call('POST', path, body, {
      ...headers,
      'x-twilio-signature': signature(`http://localhost:80${path}`),
    });
    expect(bad.statusCode).toBe(401);
    expect(parts.bus.interactions().map((i) => i.externalId)).toEqual(['CA9']);
  });

  it('answers an unknown account as it answers a bad secret', async () => {
    const [unknown, wrong] = [
      await call('POST', '/v1/webhooks/nobody', '{}'),
      await call('POST', '/v1/webhooks/telegram-1', '{}'),
    ];
    expect([unknown.statusCode, unknown.body, unknown.headers['content-type']]).toEqual([
      401,
      wrong.body,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(JSON.parse(unknown.body)).toMatchObject({ status: 401, code: 'CHANNEL.UNVERIFIED' });
  });

  it('answers a subscription handshake as plain text', async () => {
    const answer = await call(
      'GET',
      '/v1/webhooks/messenger-1?hub.mode=subscribe&hub.verify_token=shared-verify-token&hub.challenge=1158201444',
    );
    expect([answer.statusCode, answer.body, answer.headers['x-content-type-options']]).toEqual([
      200,
      '1158201444',
      'nosniff',
    ]);
  });

  it('takes forms and their preflights', async () => {
    const origin = 'https://www.example.com';
    expect((await call('OPTIONS', '/v1/forms/contact-form-1', '', { origin })).statusCode).toBe(204);
    const post = await call('POST', '/v1/forms/contact-form-1', 'email=a%40b.example&message=hi', {
      origin,
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([post.statusCode, post.headers['access-control-allow-origin']]).toEqual([200, origin]);
    expect((await call('POST', '/v1/forms/telegram-1', 'x=1', { origin })).statusCode).toBe(401);
  });

  it('takes tracking calls under their short paths, as plain text, by write key alone', async () => {
    const body = JSON.stringify({ writeKey: 'TESTWRITEKEY', anonymousId: 'c-1', messageId: 'm-77' });
    const answer = await call('POST', '/v1/p', body, { 'content-type': 'text/plain', origin: 'https://shop.example' });
    expect([answer.statusCode, answer.body, answer.headers['access-control-allow-origin']]).toEqual([
      200,
      '{"success":true}',
      'https://shop.example',
    ]);
    expect(parts.bus.interactions().at(-1)?.externalId).toBe('m-77');
    expect((await call('POST', '/v1/page', JSON.stringify({ anonymousId: 'c' }))).statusCode).toBe(401);
    const preflight = await call('OPTIONS', '/v1/b', '', { origin: 'https://shop.example' });
    expect([preflight.statusCode, preflight.headers['access-control-allow-methods']]).toEqual([204, 'POST, OPTIONS']);
    const project = await call('GET', '/v1/projects/TESTWRITEKEY/settings');
    expect(JSON.parse(project.body)).toEqual({ integrations: { 'Segment.io': { apiKey: 'TESTWRITEKEY' } } });
    expect((await call('GET', '/v1/projects/other/settings')).statusCode).toBe(404);
  });
});
