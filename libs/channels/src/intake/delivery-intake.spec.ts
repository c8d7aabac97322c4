import { createHmac } from 'node:crypto';
import { register } from 'prom-client';
import { accountOf } from '../channel-adapter.contract.js';
import type { Transport } from '../channel-adapter.port.js';
import { busFull, recordingEdge } from './recording-edge.contract.js';

const bot = accountOf('telegram');
const page = accountOf('messenger');
const site = accountOf('segment');
const form = accountOf('contact-form', { settings: { allowedOrigins: ['*'] } });
const secret = { 'x-telegram-bot-api-secret-token': 'test-secret' };
const update = (text: string) =>
  JSON.stringify({
    update_id: 1,
    message: { message_id: 5, date: 1772442929, text, from: { id: 7 }, chat: { id: 7, type: 'private' } },
  });

const edge = () => {
  const parts = recordingEdge([bot, page, site, form]);
  const send = (
    account: typeof bot | undefined,
    body: string,
    headers: Record<string, string> = secret,
    door: Transport = 'webhook',
  ) =>
    parts.intake.receive(door, account, {
      method: 'POST',
      url: 'https://hub.example/v1/x',
      headers,
      body: Buffer.from(body),
    });
  return { ...parts, send };
};

const metric = async (name: string, labels: Record<string, string>): Promise<number> => {
  const { values } = await register.getSingleMetric(name)!.get();
  return values.find((v) => Object.entries(labels).every(([k, l]) => v.labels[k] === l))?.value ?? 0;
};

describe('a delivery', () => {
  it('is published with tenant, account and receipt before it is answered', async () => {
    const { send, bus } = edge();
    expect(await send(bot, update('hi'))).toEqual({ status: 200 });
    const [message] = bus.messages;
    expect(message).toMatchObject({
      receipt: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      interaction: { tenant: 'acme', account: 'telegram-1', receivedAt: '2026-03-02T12:00:00.000Z' },
    });
    expect(bus.interactions()[0]).not.toHaveProperty('dedupeKey');
  });

  it('has the same receipt when it comes again', async () => {
    const { send, bus } = edge();
    await send(bot, update('hi'));
    await send(bot, update('hi'));
    expect(bus.messages[0]?.receipt).toBe(bus.messages[1]?.receipt);
  });

  it('gets one and the same refusal for an unknown account, a wrong secret, no secret and the wrong door', async () => {
    const { send, bus } = edge();
    const before = await metric('hilo_channel_unverified_total', { adapter: 'telegram' });
    const refusals = [
      await send(undefined, update('hi')),
      await send(bot, update('hi'), { 'x-telegram-bot-api-secret-token': 'wrong' }),
      await send(bot, update('hi'), {}),
      await send(bot, update('hi'), secret, 'form'),
      await send(accountOf('email'), update('hi')),
    ];
    expect(refusals[0]).toMatchObject({ status: 401, headers: { 'content-type': 'application/problem+json' } });
    for (const refusal of refusals) expect(refusal).toEqual(refusals[0]);
    expect(bus.messages).toEqual([]);
    expect((await metric('hilo_channel_unverified_total', { adapter: 'telegram' })) - before).toBe(2);
  });

  it('is parked and answered 200 when it is genuine and unreadable', async () => {
    const { send, parked } = edge();
    expect(await send(bot, 'no json')).toEqual({ status: 200 });
    expect(parked).toMatchObject([
      {
        tenant: 'acme',
        channel: 'social',
        account: 'telegram-1',
        stage: 'parse',
        reasonCode: 'CHANNEL.UNREADABLE',
        bytes: Buffer.from('no json'),
      },
    ]);
  });

  it('is asked for again while the bus is full', async () => {
    const { send, bus } = edge();
    bus.failure = busFull();
    expect(await send(bot, update('hi'))).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    bus.failure = undefined;
    expect(await send(bot, update('hi'))).toEqual({ status: 200 });
    expect(bus.messages).toHaveLength(1);
  });

  it('is parked, not cut, when its contact is too large', async () => {
    const { send, bus, parked } = edge();
    expect(await send(bot, update('x'.repeat(300_000)))).toEqual({ status: 200 });
    expect(bus.messages).toEqual([]);
    expect(parked).toMatchObject([{ reasonCode: 'CHANNEL.TOO_LARGE', receipt: expect.any(String) as string }]);
  });

  it('that is too large itself is refused in the words of its provider', async () => {
    const { send } = edge();
    expect(await send(bot, 'x'.repeat(1024 * 1024 + 1))).toMatchObject({ status: 413 });
    const huge = JSON.stringify({ writeKey: 'test-secret', batch: [], pad: 'x'.repeat(500 * 1024) });
    expect(await send(site, huge, {}, 'tracking')).toMatchObject({ status: 400 });
  });

  it('counts what is ignored under a bounded set of reasons', async () => {
    const { send } = edge();
    const headers = (body: string) => ({
      'x-hub-signature-256': `sha256=${createHmac('sha256', 'test-secret').update(body).digest('hex')}`,
    });
    const item = (member: string) => ({ sender: { id: '1' }, recipient: { id: '2' }, timestamp: 1, [member]: {} });
    const body = JSON.stringify({
      object: 'page',
      entry: [{ id: '2', messaging: [item('invented-today'), item('invented-tomorrow')] }],
    });
    const before = await metric('hilo_channel_ignored_total', { adapter: 'messenger', reason: 'unsupported' });
    await send(page, body, headers(body));
    expect((await metric('hilo_channel_ignored_total', { adapter: 'messenger', reason: 'unsupported' })) - before).toBe(
      2,
    );
  });

  it('parks the bad events of a batch, takes the good and answers 200', async () => {
    const { send, bus, parked } = edge();
    const batch = [{ type: 'page', anonymousId: 'c', messageId: 'm' }, { type: 'page' }];
    expect(await send(site, JSON.stringify({ writeKey: 'test-secret', batch }), {}, 'tracking')).toMatchObject({
      status: 200,
      body: '{"success":true}',
    });
    expect(bus.messages).toHaveLength(1);
    expect(parked.map(({ bytes, reason }) => [bytes.toString(), reason])).toEqual([
      ['{"type":"page"}', 'batch[1]: invalid:userId or anonymousId is required'],
    ]);
  });

  it('without a clock of its own says so, so that a double click is a duplicate', async () => {
    const { send, bus, clock } = edge();
    const click = () =>
      send(form, 'email=a%40b.example&message=hi', { 'content-type': 'application/x-www-form-urlencoded' }, 'form');
    await click();
    clock.advance(3000);
    await click();
    const [first, second] = bus.interactions();
    expect([first?.timeIsOurs, second?.timeIsOurs]).toEqual([true, true]);
    expect(second?.externalId).toBe(first?.externalId);
  });
});
