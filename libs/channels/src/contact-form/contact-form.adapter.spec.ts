import { join } from 'node:path';
import { accepts, accountOf, channelAdapterContract, receivedAtMs } from '../channel-adapter.contract.js';
import type { ChannelAccount, RawDelivery } from '../channel-adapter.port.js';
import { ContactFormAdapter } from './contact-form.adapter.js';

const adapter = new ContactFormAdapter();
const settings = { allowedOrigins: ['https://www.example.com'] };
const account = accountOf('contact-form', { settings });
const urlencoded = 'application/x-www-form-urlencoded';
const contentTypes: Record<string, string> = {
  'submission-id': 'application/json',
  multipart: 'multipart/form-data; boundary=----b1',
};

channelAdapterContract({
  adapter,
  account: { ...account, settings: { ...settings, dataPath: 'payload.data' } },
  fixtures: join(import.meta.dirname, 'fixtures'),
  frame: (name) => ({ headers: { 'content-type': contentTypes[name] ?? urlencoded } }),
  prove: (delivery) => ({ ...delivery, headers: { ...delivery.headers, origin: 'https://www.example.com' } }),
  signsBody: false,
  lacks: { echoes: 'a form is filled in by visitors' },
});

describe('contact-form', () => {
  const post = (body: string, over: Partial<RawDelivery> = {}): RawDelivery => ({
    account,
    method: 'POST',
    url: 'https://hub.example/v1/forms/contact-form-1',
    headers: { 'content-type': urlencoded },
    body: Buffer.from(body),
    receivedAtMs,
    ...over,
  });
  const only = async (body: string, over: Partial<RawDelivery> = {}) =>
    (await adapter.parse(post(body, over))).interactions[0]!;
  const takes = (headers: Record<string, string>, who: ChannelAccount = account): boolean =>
    accepts(adapter, post('', { headers, account: who }));

  it('takes posts of its own pages, and of servers that know the secret', () => {
    expect(takes({ origin: 'https://www.example.com' })).toBe(true);
    expect(takes({ referer: 'https://www.example.com/contact?x=1' })).toBe(true);
    expect(takes({ authorization: 'Bearer test-secret' })).toBe(true);
    expect(takes({ origin: 'https://www.example.com.evil.example' })).toBe(false);
    expect(takes({ origin: 'null' })).toBe(false);
    expect(takes({})).toBe(false);
    expect(takes({}, accountOf('contact-form', { settings: { allowedOrigins: ['*'] } }))).toBe(true);
  });

  it('sees the same message within ten minutes as one, and later as another', async () => {
    const body = 'email=a%40example.com&message=hello';
    const [first, again, later] = await Promise.all(
      [0, 60_000, 600_000].map((ms) => only(body, { receivedAtMs: receivedAtMs + ms })),
    );
    expect(again!.dedupeKey).toBe(first!.dedupeKey);
    expect(later!.dedupeKey).not.toBe(first!.dedupeKey);
    expect((await only('email=b%40example.com&message=hello')).dedupeKey).not.toBe(first!.dedupeKey);
  });

  it('reads fields by the names that the account declares', async () => {
    const own = accountOf('contact-form', {
      settings: { ...settings, fields: { message: ['texto', 'mensaje'], email: 'correo' } },
    });
    const contact = await only('correo=a%40example.com&mensaje=hola&message=x', { account: own });
    expect([contact.text, contact.customer?.identifiers]).toEqual([
      'hola',
      [{ type: 'email', value: 'a@example.com' }],
    ]);
    expect(contact.attributes).toMatchObject({ 'field.message': 'x' });
  });

  it('sends browsers on and answers scripts', () => {
    const redirecting = accountOf('contact-form', {
      settings: { ...settings, redirectUrl: 'https://www.example.com/thanks' },
    });
    expect(adapter.answer(post('', { account: redirecting }))).toEqual({
      status: 303,
      headers: { location: 'https://www.example.com/thanks' },
    });
    expect(adapter.answer(post('', { account: redirecting, headers: { accept: 'application/json' } })).status).toBe(
      200,
    );
  });

  it('answers preflights for its own pages', () => {
    const preflight = (origin: string) =>
      adapter.handshake(post('', { method: 'OPTIONS', headers: { origin } }))?.headers?.['access-control-allow-origin'];
    expect(preflight('https://www.example.com')).toBe('https://www.example.com');
    expect(preflight('https://evil.example')).toBeUndefined();
  });

  it('refuses multipart bodies that do not end or have too many parts', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    await expect(adapter.parse(post('--b\r\n', { headers }))).rejects.toMatchObject({ code: 'CHANNEL.UNREADABLE' });
    const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
    await expect(adapter.parse(post(`${part.repeat(201)}--b--\r\n`, { headers }))).rejects.toMatchObject({
      code: 'CHANNEL.UNREADABLE',
    });
  });
});
