import { createConnection } from 'node:net';
import { createTransport } from 'nodemailer';
import { HubSettings } from '#libs/kernel/settings.js';
import { SmtpDeclaration } from '../accounts/accounts.config.js';
import { accountOf } from '../channel-adapter.contract.js';
import { busFull, recordingEdge } from '../intake/recording-edge.contract.js';
import { EmailListener } from './email.listener.js';

const smtp = Object.assign(new SmtpDeclaration(), { maxMessageBytes: 64 * 1024 });
const parts = recordingEdge(
  [
    accountOf('email', { id: 'care', name: 'care@hub.example' }),
    accountOf('email', { id: 'sales', name: 'sales@hub.example', tenant: 'other' }),
  ],
  smtp,
);
const settings = Object.assign(new HubSettings(), { smtpPort: 0 });
const listener = new EmailListener(settings, parts.directory, smtp, parts.publisher, parts.undeliverable, parts.clock);

const send = (mail: Record<string, unknown>, envelope?: { from: string; to: string[] }) => {
  const transport = createTransport({
    host: '127.0.0.1',
    port: listener.port,
    ignoreTLS: true,
    ...(envelope ? {} : {}),
  });
  return transport.sendMail({
    from: 'Ana <ana@example.com>',
    to: 'care@hub.example',
    subject: 'Hi',
    text: 'Hello',
    ...mail,
    ...(envelope ? { envelope } : {}),
  });
};

/** Speaks SMTP line by line; resolves with every reply. */
const converse = (lines: readonly string[]): Promise<string[]> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(listener.port!, '127.0.0.1');
    const replies: string[] = [];
    const rest = [...lines];
    socket.setEncoding('utf8').on('error', reject);
    socket.on('close', () => resolve(replies));
    socket.on('data', (text: string) => {
      for (const reply of text.split('\r\n').filter((line) => /^\d{3} /.test(line))) {
        replies.push(reply);
        const next = rest.shift();
        if (next === undefined) socket.end();
        else socket.write(`${next}\r\n`);
      }
    });
  });

describe('the SMTP listener', () => {
  beforeAll(() => listener.onApplicationBootstrap());
  afterAll(() => listener.beforeApplicationShutdown());
  beforeEach(() => {
    parts.bus.messages.length = 0;
    parts.bus.failure = undefined;
  });

  it('does not listen unless a port is set', async () => {
    const silent = new EmailListener(
      new HubSettings(),
      parts.directory,
      smtp,
      parts.publisher,
      parts.undeliverable,
      parts.clock,
    );
    await silent.onApplicationBootstrap();
    expect(silent.port).toBeUndefined();
  });

  it('records a mail before it says so', async () => {
    const info = await send({ messageId: '<one@example.com>', attachments: [{ filename: 'a.txt', content: 'abc' }] });
    expect(info.response).toMatch(/^250 /);
    expect(parts.bus.interactions()).toMatchObject([
      {
        tenant: 'acme',
        account: 'care@hub.example',
        externalId: '<one@example.com>',
        subject: 'Hi',
        text: 'Hello',
        attachments: [{ name: 'a.txt', contentType: 'text/plain', bytes: 3 }],
      },
    ]);
  });

  it('gives the same receipt to a mail that is sent again', async () => {
    await send({ messageId: '<two@example.com>' });
    await send({ messageId: '<two@example.com>' });
    expect(new Set(parts.bus.messages.map(({ receipt }) => receipt)).size).toBe(1);
  });

  it('refuses addresses that nobody declared, and takes the others of the same mail', async () => {
    await expect(send({ to: 'nobody@hub.example' })).rejects.toMatchObject({ responseCode: 550 });
    const info = await send({}, { from: 'ana@example.com', to: ['care+c-1@hub.example', 'nobody@hub.example'] });
    expect(info.rejected).toEqual(['nobody@hub.example']);
    expect(parts.bus.messages).toHaveLength(1);
  });

  it('keeps one contact per account that a mail is for', async () => {
    await send({}, { from: 'ana@example.com', to: ['care@hub.example', 'care+x@hub.example', 'SALES@hub.example'] });
    expect(parts.bus.interactions().map((i) => [i.tenant, i.account])).toEqual([
      ['acme', 'care@hub.example'],
      ['other', 'sales@hub.example'],
    ]);
  });

  it('asks the sender to come back while the bus takes nothing', async () => {
    parts.bus.failure = busFull();
    await expect(send({ messageId: '<three@example.com>' })).rejects.toMatchObject({ responseCode: 451 });
    parts.bus.failure = undefined;
    expect((await send({ messageId: '<three@example.com>' })).response).toMatch(/^250 /);
  });

  it('refuses what is larger than it announced', async () => {
    await expect(send({ text: 'x'.repeat(100_000) })).rejects.toMatchObject({ responseCode: 552 });
    const replies = await converse([
      'EHLO test',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<care@hub.example>',
      'DATA',
      `Subject: big\r\n\r\n${'x\r\n'.repeat(30_000)}.`,
      'QUIT',
    ]);
    expect(replies.at(-2)).toMatch(/^552 /);
    expect(parts.bus.messages).toEqual([]);
  });

  it('refuses structures that no honest mail has', async () => {
    const raw = `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(501)}`;
    await expect(send({ raw }, { from: 'a@b.example', to: ['care@hub.example'] })).rejects.toMatchObject({
      responseCode: 554,
    });
  });

  it('knows a machine by its empty return path', async () => {
    await converse([
      'EHLO test',
      'MAIL FROM:<>',
      'RCPT TO:<care@hub.example>',
      'DATA',
      'From: ana@example.com\r\nSubject: away\r\n\r\nBack soon\r\n.',
      'QUIT',
    ]);
    expect(parts.bus.interactions()[0]?.attributes).toEqual({ automatic: 'auto-reply' });
  });

  it('offers neither passwords nor a certificate that everybody has', async () => {
    const replies = await converse(['EHLO test', 'AUTH PLAIN AGEAYg==', 'STARTTLS', 'QUIT']);
    expect(replies.slice(2, 4).map((reply) => reply.slice(0, 1))).toEqual(['5', '5']);
  });
});
