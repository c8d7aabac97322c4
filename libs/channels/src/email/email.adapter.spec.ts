import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { accountOf, channelAdapterContract, receivedAtMs } from '../channel-adapter.contract.js';
import { EmailAdapter } from './email.adapter.js';
import { parseMail } from './email.parse.js';
import { splitReply } from './split-reply.js';

const account = accountOf('email', { name: 'care@hub.example' });

channelAdapterContract({
  adapter: new EmailAdapter(),
  account,
  fixtures: join(import.meta.dirname, 'fixtures'),
  frame: () => ({ method: 'SMTP', url: 'smtp://hub.example/care@hub.example', headers: {} }),
  echoes: ['our-answer'],
  lacks: { proof: 'SMTP proves no sender' },
});

const context = {
  account: 'care@hub.example',
  receivedAtMs,
  isOwn: (address: string) => address.endsWith('@hub.example'),
};
const mail = (head: string[], body: string) => parseMail(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`), context);

describe('email', () => {
  it('refuses structures that no honest mail has', async () => {
    const nested = Array.from(
      { length: 22 },
      (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
    ).join('');
    await expect(parseMail(Buffer.from(`From: a@b.example\r\n${nested}`), context)).rejects.toMatchObject({
      code: 'CHANNEL.TOO_COMPLEX',
    });
    const parts =
      'From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' + '--b\r\n\r\nx\r\n'.repeat(501);
    await expect(parseMail(Buffer.from(parts), context)).rejects.toMatchObject({ code: 'CHANNEL.TOO_COMPLEX' });
    await expect(mail([`X-Long: ${'x\r\n '.repeat(100_000)}`], '')).rejects.toMatchObject({
      code: 'CHANNEL.TOO_COMPLEX',
    });
  });

  it('keeps the text of HTML that is too big to convert, and leaves out the markup', async () => {
    const html = `<style>p{}</style>${'<p>Hello&amp;goodbye</p>'.repeat(20_000)}`;
    const contact = await mail(['From: a@b.example', 'Content-Type: text/html'], html);
    expect(contact.text?.startsWith('Hello&goodbye\nHello&goodbye')).toBe(true);
    expect(contact.html).toBeUndefined();
    expect(contact.attributes?.htmlOmittedBytes).toBeGreaterThan(400_000);
  });

  it('reads the HTML where the plain part is empty', async () => {
    const body =
      '--b\r\nContent-Type: text/plain\r\n\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Only here</p>\r\n--b--\r\n';
    const contact = await mail(
      ['From: a@b.example', 'MIME-Version: 1.0', 'Content-Type: multipart/alternative; boundary=b'],
      body,
    );
    expect(contact.text).toBe('Only here');
  });

  it('bounds the quoted text by characters and by bytes', async () => {
    const contact = await mail(
      ['From: a@b.example', 'Content-Type: text/plain; charset=utf-8'],
      `Thanks\r\n\r\n${'> 写道写道写道写道\r\n'.repeat(5000)}`,
    );
    expect(contact.text).toBe('Thanks');
    expect(Buffer.byteLength(JSON.stringify(contact.attributes))).toBeLessThan(14_000);
  });

  it.each([
    ['List-Id: <news.example>', 'bulk'],
    ['Precedence: auto_reply', 'auto-reply'],
    ['X-Autoreply: yes', 'auto-reply'],
    ['X-Auto-Response-Suppress: All', undefined],
    ['Auto-Submitted: no', undefined],
    ['Auto-Submitted: auto-generated; owner-email="x@y"', 'auto-reply'],
    ['X-Failed-Recipients: a@b.example', 'bounce'],
  ])('classifies mail with "%s" as %s', async (header, expected) => {
    const contact = await mail(['From: a@b.example', header], 'text');
    expect(contact.attributes?.automatic).toBe(expected);
    expect(contact.kind).toBe(expected === 'bounce' ? 'status' : 'message');
  });

  it.each([
    'Final-Recipient: rfc822; luis@example.com\r\nAction: failed',
    'This message could not be delivered:\r\n\r\n<luis@example.com>:\r\nuser unknown',
  ])('names the customer whom a failure is about: %j', async (body) => {
    const contact = await mail(['Message-ID: <b@mx.example>', 'From: MAILER-DAEMON@mx.example', 'Status: RO'], body);
    expect(contact).toMatchObject({
      kind: 'status',
      outcome: 'failed',
      threadId: '<b@mx.example>',
      customer: { identifiers: [{ type: 'email', value: 'luis@example.com' }] },
    });
    expect(contact.attributes).toEqual({ automatic: 'bounce' });
  });

  it('tells mail among our own addresses as internal', async () => {
    const contact = await mail(['From: sales@hub.example', 'To: care@hub.example'], 'text');
    expect([contact.direction, contact.customer]).toEqual(['internal', undefined]);
  });

  it('takes the stamp of the last relay where the date is unusable', async () => {
    const contact = await mail(
      ['Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000', 'Date: sometime', 'From: a@b.example'],
      'text',
    );
    expect(contact.occurredAt).toBe('2026-03-02T10:00:00.000Z');
  });
});

describe('splitting a reply', () => {
  const quote = '> old\n> lines';

  it.each([
    ['English, wrapped', 'On Tue, 3 Mar 2026 at 10:15, Maria\n<m@x.example>\nwrote:'],
    ['French', 'Le mar. 3 mars 2026 à 10:15, Maria <m@x.example> a écrit :'],
    ['German', 'Am 03.03.2026 um 10:15 schrieb Maria:'],
    ['Spanish', 'El mar, 3 mar 2026 a las 10:15, Maria (<m@x.example>) escribió:'],
    ['Italian', 'Il giorno mar 3 mar 2026 alle ore 10:15 Maria <m@x.example> ha scritto:'],
    ['Portuguese', 'Em ter., 3 de mar. de 2026 às 10:15, Maria <m@x.example> escreveu:'],
    ['Dutch', 'Op di 3 mrt 2026 om 10:15 schreef Maria <m@x.example>:'],
    ['Russian', '3 марта 2026 г., 10:15, Maria <m@x.example> пишет:'],
    ['Chinese', '在 2026年3月3日,10:15,Maria <m@x.example> 写道:'],
    ['numeric', '2026-03-03 10:15 GMT+01:00 Maria <m@x.example>:'],
    ['Outlook', 'From: Maria\nSent: Tuesday\nTo: Care\nSubject: Re: x'],
    ['German Outlook', '________________________________\nVon: Maria\nGesendet: Dienstag\nAn: Care\nBetreff: Re: x'],
    ['ruler', '-----Original Message-----'],
    ['no header at all', ''],
  ])('cuts at a header: %s', (_name, header) => {
    const split = splitReply(`My answer.\n\n${header}\n${quote}`);
    expect(split.visible).toBe('My answer.');
    expect(split.quoted).toContain('> old');
  });

  it('cuts signatures off', () => {
    expect(splitReply('Yes.\n-- \nMaria\n+34 600').visible).toBe('Yes.');
    expect(splitReply('Yes.\n\nSent from my iPhone').visible).toBe('Yes.');
  });

  it('keeps answers between and below quoted lines', () => {
    const inline = '> Which size?\nLarge.\n> Which colour?\nBlue.';
    expect(splitReply(inline)).toEqual({ visible: inline, inlineReply: true });
    const below = `On 3 Mar 2026 Maria <m@x.example> wrote:\n${quote}\n\nMy answer.`;
    expect(splitReply(below)).toEqual({ visible: below, inlineReply: true });
  });

  it.each([
    'He wrote to me on 3 March.',
    'From: here to there',
    'Please note:\n- one\n- two',
    '> only a quote',
    'FYI\n---------- Forwarded message ---------\nFrom: A <a@b.example>\nDate: today\n\nhello',
  ])('leaves %j whole', (text) => {
    expect(splitReply(text)).toEqual({ visible: text });
  });

  it.each([
    ['attributions that never end', 'On 1\n'.repeat(50_000)],
    ['one long line', 'On 1 <'.repeat(100_000)],
    ['header labels', 'From: a\n'.repeat(50_000)],
    ['quotes', '> \n'.repeat(100_000) + 'x'],
    ['alternating quotes', '> a\nb\n'.repeat(50_000)],
    ['dashes', '-'.repeat(300_000)],
    ['blank lines', '\n'.repeat(300_000)],
    ['spaces', ' '.repeat(300_000) + 'x'],
  ])('stays linear on %s', (_name, text) => {
    const start = performance.now();
    splitReply(text);
    expect(performance.now() - start).toBeLessThan(1500);
  });

  const corpus = '../shared/fixtures/channels/email/quoted-reply/reply-trimmer';
  (existsSync(corpus) ? describe : describe.skip)('where the shared files are', () => {
    it('agrees with another library on most of its examples', () => {
      const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim();
      const read = (folder: string, name: string) => readFileSync(join(corpus, folder, name), 'utf8');
      const names = readdirSync(join(corpus, 'emails'));
      const agreed = names.filter(
        (name) => squeeze(splitReply(read('emails', name)).visible) === squeeze(read('trimmed', name)),
      );
      expect(agreed.length / names.length).toBeGreaterThan(0.5);
    });
  });
});

describe('mail of the world', () => {
  const roots = ['../shared/fixtures/channels/email', '../shared/data/email-fixtures'].filter((root) =>
    existsSync(root),
  );
  const files = roots.flatMap((root) =>
    (readdirSync(root, { recursive: true }) as string[])
      .filter((name) => name.endsWith('.eml'))
      .map((name) => join(root, name)),
  );

  (files.length > 0 ? describe : describe.skip)('where the shared files are', () => {
    it('reads every recorded mail', async () => {
      for (const file of files) {
        const contact = await parseMail(readFileSync(file), context).catch(
          (error: unknown) => `${file}: ${String(error)}`,
        );
        expect(contact).toEqual(expect.objectContaining({ channel: 'email' }));
      }
    }, 60_000);
  });

  (files.length > 0 ? describe : describe.skip)('where the shared files are', () => {
    it('never takes a delivery failure for a customer', async () => {
      const bounces = files.filter((file) => /\/bounce\/sisimai-(?!is-not)/.test(file));
      const kinds = await Promise.all(
        bounces.map(async (file) => [file, (await parseMail(readFileSync(file), context)).kind]),
      );
      expect(kinds.filter(([, kind]) => kind !== 'status').map(([file]) => file)).toEqual([]);
    });
  });

  const storyline = '../shared/data/omnichannel-storyline/native/mail.mbox.gz';
  (existsSync(storyline) ? describe : describe.skip)('where the shared files are', () => {
    it('reads a year of a real mailbox', async () => {
      const mails = gunzipSync(readFileSync(storyline))
        .toString('latin1')
        .split(/^From MAILER-DAEMON .*\n/m)
        .slice(1);
      expect(mails).toHaveLength(2883);
      const ownAddress = /@(?:eagle-bank|beanhouse|skyline-air)\.example$/;
      for (const text of mails) {
        const id = /^Message-ID: (.*)$/im.exec(text)![1];
        const contact = await parseMail(Buffer.from(text, 'latin1'), {
          ...context,
          isOwn: (address) => ownAddress.test(address),
        });
        expect(contact.externalId).toBe(id);
        expect(contact.customer?.identifiers).toHaveLength(1);
      }
    }, 60_000);
  });
});
