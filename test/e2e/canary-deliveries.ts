import { createHmac } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import { readUrlencoded } from '#libs/channels/shared/form-fields.js';
import { signedParameters, twilioSignature } from '#libs/channels/twilio-voice/twilio-voice.verify.js';
import type { Answer, HubClient } from './hub-client.js';

const SECRET = 'a-secret-of-the-test';

/** An account of every adapter; `queueLog` is the file that Asterisk would write. */
export const accountsOf = (queueLog: string): string => `
accounts:
  - { id: care, tenant: demo, adapter: email, name: care@nest.example }
  - { id: form, tenant: demo, adapter: contact-form, settings: { allowedOrigins: ['https://nest.example'] } }
  - { id: bot, tenant: demo, adapter: telegram, secrets: [${SECRET}] }
  - { id: page, tenant: demo, adapter: messenger, secrets: [${SECRET}] }
  - { id: voice, tenant: demo, adapter: twilio-voice, secrets: [${SECRET}] }
  - { id: site, tenant: demo, adapter: segment, secrets: [${SECRET}] }
  - { id: pbx, tenant: demo, adapter: asterisk-queue-log, settings: { file: '${queueLog}', pollMs: 50 } }
`;

export const contact = {
  channel: 'whatsapp',
  account: 'shop',
  externalId: 'KANARI-EXTERN-1',
  threadId: 'KANARI-FADEN-1',
  kind: 'message',
  occurredAt: '2026-03-02T09:15:00Z',
  customer: {
    identifiers: [
      { type: 'email', value: 'Zaunkoenig.Isolde@example.net', verified: true },
      { type: 'phone', value: '+49 1555 7770131' },
    ],
    name: 'Isolde Zaunkönig',
  },
  subject: 'Der Zaunkönig fragt nach dem Nest',
  text: 'Das Nest kam ohne Deckel',
  html: '<b>Das Nest kam ohne Deckel</b>',
  outcome: 'Ausgang: Deckel nachgeschickt',
  attachments: [{ name: 'nestfoto-zaunkoenig.png', url: 'https://f.example/nestfoto-zaunkoenig.png' }],
  attributes: { note: 'kanari-attribut' },
};

export const profile = {
  source: 'crm',
  externalId: 'KANARI-CRM-9',
  identifiers: [{ type: 'email', value: 'zaunkoenig.isolde@example.net' }],
  name: 'Isolde Zaunkönig',
  birthDate: '1977-07-07',
  attributes: { note: 'kanari-attribut' },
};

export const loneProfile = {
  source: 'crm',
  externalId: 'KANARI-CRM-10',
  identifiers: [{ type: 'email', value: 'eule.allein@example.net' }],
  name: 'Elsa Eule',
};

/** A line of a file of contacts. */
export const imported = {
  channel: 'letter',
  account: 'archive',
  externalId: 'KANARI-AKTE-1',
  kind: 'message',
  occurredAt: '2024-03-02T09:15:00Z',
  customer: { identifiers: [{ type: 'email', value: 'specht.archiv@example.net' }], name: 'Silke Specht' },
  text: 'Der Specht schrieb von Rinde',
};

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const ORIGIN = { origin: 'https://nest.example' };

export const sendMail = async (port: number): Promise<void> => {
  const mail = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true });
  await mail.sendMail({
    from: '"Amalia Amsel" <amsel.mail@example.net>',
    to: 'care@nest.example',
    messageId: '<kanari-brief-1@example.net>',
    references: '<kanari-brief-0@example.net>',
    subject: 'Mein Nest hat ein Loch',
    text: 'Mein Nest hat ein Loch, schreibt rotkehlchen\n\nOn Monday Ana wrote:\n> kanari-zitat',
    attachments: [{ filename: 'kanari-anhang.pdf', content: 'rotkehlchen' }],
  });
  mail.close();
};

/** A form as browsers post it, from the page they are on. */
export const postForm = (anyone: HubClient, fields: Record<string, string>, headers: { origin: string } = ORIGIN) =>
  anyone.post('/v1/forms/form', new URLSearchParams(fields).toString(), FORM_TYPE, headers);

/** A form with a file. */
export const postFileForm = (anyone: HubClient, fields: Record<string, string>, file: string) => {
  const part = (name: string, more: string, value: string) =>
    `--kante\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
  const parts = Object.entries(fields).map(([name, value]) => part(name, '', value));
  const body = `${parts.join('')}${part('file', `; filename="${file}"`, 'x')}--kante--\r\n`;
  return anyone.post('/v1/forms/form', body, 'multipart/form-data; boundary=kante', ORIGIN);
};

export const postTelegram = (anyone: HubClient, update: object, secret = SECRET) =>
  anyone.post('/v1/webhooks/bot', update, JSON_TYPE, { 'x-telegram-bot-api-secret-token': secret });

export const postMessenger = (anyone: HubClient, entry: object, secret = SECRET) => {
  const body = JSON.stringify({
    object: 'page',
    entry: [{ id: '100000000000001', time: 1_772_443_000_000, ...entry }],
  });
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  return anyone.post('/v1/webhooks/page', body, JSON_TYPE, { 'x-hub-signature-256': signature });
};

export const postCall = (
  anyone: HubClient,
  call: Record<string, string>,
  secret = SECRET,
): Promise<Answer<unknown>> => {
  const body = new URLSearchParams(call).toString();
  const signed = `${anyone.url}/v1/webhooks/voice${signedParameters(readUrlencoded(body))}`;
  return anyone.post('/v1/webhooks/voice', body, FORM_TYPE, { 'x-twilio-signature': twilioSignature(secret, signed) });
};

export const track = (anyone: HubClient, path: string, event: object, key = SECRET) =>
  anyone.post(`/v1/${path}`, { writeKey: key, ...event });

const person = { id: 7770001311, is_bot: false, first_name: 'Gerda', last_name: 'Grasmücke', username: 'kanari_grasmuecke' }; // prettier-ignore
const chat = { ...person, type: 'private' };
const telegram = (id: number, message: object) => ({
  update_id: id,
  message: { message_id: id, from: person, chat, date: 1_772_442_929, ...message },
});

const call = {
  AccountSid: 'AC1',
  CallStatus: 'completed',
  Direction: 'inbound',
  To: '+18005550100',
  Timestamp: 'Mon, 02 Mar 2026 10:05:00 +0000',
  CallDuration: '90',
};

/** What every provider delivers, as its wire format wants it; the calls of Asterisk are appended to its log. */
export const deliverAll = async (anyone: HubClient, queueLog: string): Promise<Answer<unknown>[]> => {
  const answers = [
    await postForm(anyone, {
      name: 'Flora Fink',
      email: 'fink.formular@example.net',
      phone: '+4915557770132',
      subject: 'Der Fink will Körner',
      message: 'Der Fink will Körner, schreibt rotkehlchen',
      submission_id: 'kanari-eingang-1',
      wish: 'kanari-feld',
      page: 'https://nest.example/kanari-seite',
    }),
    // Without an id of the submission: it is hashed from what was written.
    await postFileForm(
      anyone,
      { email: 'fink.formular@example.net', message: 'Der Fink will Körner, mit Beleg' },
      'kanari-beleg.txt',
    ),
    // A form that does not say what it is: parked.
    await anyone.post('/v1/forms/form', 'email=fink.formular%40example.net&message=rotkehlchen', 'text/plain', ORIGIN),
    await postTelegram(anyone, telegram(501, { text: 'Die Grasmücke sucht Beeren' })),
    await postTelegram(
      anyone,
      telegram(502, { contact: { phone_number: '4915557770133', first_name: 'Gerda', user_id: person.id } }),
    ),
    await postTelegram(
      anyone,
      telegram(503, { document: { file_id: 'kanari-datei-1', file_name: 'kanari-beleg.txt' }, caption: 'rotkehlchen' }),
    ),
    // Nothing that is known: its bytes are parked.
    await postTelegram(anyone, { message: { from: person, text: 'Die Grasmücke sucht Beeren' } }),
    await postMessenger(anyone, {
      messaging: [
        {
          sender: { id: '7770001322' },
          recipient: { id: '100000000000001' },
          timestamp: 1_772_442_929_000,
          message: {
            mid: 'm_KANARI-MID-1',
            text: 'Der Dompfaff bestellt Kerne',
            quick_reply: { payload: 'kanari-knopf' },
            attachments: [{ type: 'image', payload: { url: 'https://cdn.example/kanari-bild.jpg' } }],
          },
        },
      ],
      changes: [
        {
          field: 'feed',
          value: {
            from: { id: '7770001333', name: 'Dora Dompfaff' },
            message: 'Der Dompfaff lobt öffentlich',
            post_id: '100000000000001_1',
            comment_id: '1_7770001333',
            created_time: 1_772_442_929,
            item: 'comment',
            verb: 'add',
          },
        },
      ],
    }),
    await postCall(anyone, {
      ...call,
      CallSid: 'CAkanarianruf1',
      From: '+4915557770134',
      CallerName: 'Stella Star',
      StirVerstat: 'kanari-pruefvermerk',
    }),
    await postCall(anyone, {
      ...call,
      CallSid: 'CAkanarianruf2',
      From: 'anonymous',
      CallerName: 'Stella Star',
      StirVerstat: 'kanari-pruefvermerk',
    }),
    // Without an id of the call: parked.
    await postCall(anyone, { ...call, From: '+4915557770134', CallerName: 'Stella Star' }),
    await track(anyone, 'identify', {
      messageId: 'kanari-sendung-1',
      userId: 'KANARI-NUTZER-1',
      anonymousId: 'kanari-keks-0001',
      traits: { email: 'meise.maske@example.net', phone: '+4915557770137', name: 'Mona Meise', address: { street: 'Meisenweg 77' } }, // prettier-ignore
    }),
    await track(anyone, 'batch', {
      batch: [
        {
          type: 'page',
          messageId: 'kanari-sendung-2',
          anonymousId: 'kanari-keks-0001',
          properties: { url: 'https://nest.example/kanari-pfad?mail=meise.maske@example.net', title: 'kanari-pfad' },
        },
        {
          type: 'track',
          messageId: 'kanari-sendung-3',
          userId: 'KANARI-NUTZER-1',
          event: 'Support Ticket Created',
          properties: { message: 'rotkehlchen', path: 'kanari-pfad' },
        },
        // No contact; and nothing that is known, which is parked.
        { type: 'track', userId: 'KANARI-NUTZER-1', event: 'kanari-pfad' },
        { type: 'kanari-typ', userId: 'KANARI-NUTZER-1', traits: { email: 'meise.maske@example.net' } },
      ],
    }),
  ];
  appendFileSync(
    queueLog,
    [
      '1772442929|1772442929.777131|support|NONE|ENTERQUEUE||+4915557770135|1',
      '1772442939|1772442929.777131|support|PJSIP/ana|CONNECT|10|1772442930.9|3',
      '1772442999|1772442929.777131|support|PJSIP/ana|BLINDTRANSFER|+4915557770136|internal|10|60|1',
      // Leaves the queue for another one, which may follow.
      '1772443000|1772442930.777132|support|NONE|ENTERQUEUE||+4915557770136|1',
      '1772443060|1772442930.777132|support|NONE|EXITWITHTIMEOUT|1|1|60',
      '',
    ].join('\n'),
  );
  return answers;
};

/** Deliveries of senders who prove nothing. */
export const deliverUnproven = async (anyone: HubClient): Promise<Answer<unknown>[]> => [
  await postForm(anyone, { email: 'kanari-falsch@example.net', message: 'kanari-falsch' }, { origin: 'https://kanari-falsch.example' }), // prettier-ignore
  await postTelegram(anyone, telegram(504, { text: 'kanari-falsch' }), 'kanari-falsch'),
  await postMessenger(anyone, { messaging: [{ sender: { id: '7770001322' }, message: { text: 'kanari-falsch' } }] }, 'kanari-falsch'), // prettier-ignore
  await postCall(anyone, { ...call, CallSid: 'CAkanarianruf1', CallerName: 'kanari-falsch' }, 'kanari-falsch'),
  await track(anyone, 'identify', { userId: 'kanari-falsch' }, 'kanari-falsch'),
  await anyone.post('/v1/webhooks/kanari-falsch', { text: 'kanari-falsch' }),
];
