import type { AddressObject, Attachment as MailAttachment, EmailAddress, ParsedMail } from 'mailparser';
import { HubError, LIMITS, toInstant, type Direction } from '#libs/kernel';
import type { ParsedInteraction } from '../channel-adapter.port.js';
import { contactOf, sha256 } from '../shared/contact.js';
import { attributesOf, cleanText, lineOf } from '../shared/lax.js';
import { MAX_CONVERTED_HTML_BYTES, QUOTED_TEXT_BOUND } from './email.config.js';
import type { MailContext } from './email.types.js';
import { classifyMail, readReport, type MailHeaders } from './machine-mail.js';
import { assertMimeBounds } from './mime-bounds.js';
import { splitReply } from './split-reply.js';

/** Clocks of senders may run ahead of ours by this much before their date is not believed. */
const futureToleranceMs = 10 * 60_000;

interface Person {
  address: string;
  name: string | undefined;
}

/**
 * One mail as a contact.
 * @throws HubError `CHANNEL.TOO_COMPLEX` above the MIME bounds, `CHANNEL.UNREADABLE` when the bytes are no mail
 */
export const parseMail = async (raw: Buffer, context: MailContext): Promise<ParsedInteraction> => {
  assertMimeBounds(raw);
  const mail = await readMime(raw);
  const headers = headersOf(mail);
  if (mail.headerLines === undefined || mail.headerLines.length === 0)
    throw new HubError('CHANNEL.UNREADABLE', 'the bytes hold no mail header');

  const from = people(mail.from);
  // Several authors must name one sender (RFC 5322); all authors as identifiers would make them one person.
  const author =
    from.length > 1
      ? (people(mail.headers.get('sender')).find((s) => from.some((f) => f.address === s.address)) ?? from[0])
      : from[0];
  const report = readReport(raw);
  const automatic = classifyMail(headers, author?.address, context.nullSender ?? false, report);
  const isReport = automatic === 'bounce' || automatic === 'receipt' || automatic === 'complaint';
  const { direction, person } = isReport
    ? { direction: 'inbound' as const, person: reported(report.recipients, context) }
    : sides(author, [...people(mail.to), ...people(mail.cc)], context);

  const id = tokens(headers.get('message-id'))[0] ?? lineOf(headers.get('message-id'));
  const externalId =
    id ??
    `missing-message-id:${sha256(headers.get('date') ?? '', headers.get('from') ?? '', headers.get('to') ?? '', headers.get('subject') ?? '', bodyOf(raw))}`;
  const said = contentOf(mail);
  return contactOf({
    channel: 'email',
    account: context.account,
    externalId,
    kind: isReport ? 'status' : 'message',
    threadId:
      tokens(headers.get('references'))[0] ??
      tokens(headers.get('in-reply-to'))[0] ??
      (isReport ? report.originalId : undefined) ??
      externalId,
    direction,
    ...occurrence(mail, headers, context.receivedAtMs),
    ...(person
      ? {
          customer: {
            identifiers: [{ type: 'email', value: person.address }],
            ...(person.name === undefined ? {} : { name: person.name }),
          },
        }
      : {}),
    subject: lineOf(mail.subject),
    text: said.text,
    html: said.html,
    outcome: isReport ? (report.action ?? (automatic === 'bounce' ? 'failed' : undefined)) : undefined,
    attachments: mail.attachments.map(attachmentOf),
    attributes: attributesOf({
      automatic,
      status: isReport ? report.status : undefined,
      recipients: isReport && report.recipients.length > 1 ? report.recipients : undefined,
      ...said.attributes,
    }),
  });
};

const readMime = async (raw: Buffer): Promise<ParsedMail> => {
  // Loaded with the first mail: programs without mail accounts never pay for it.
  const { simpleParser } = await import('mailparser');
  const options = {
    keepCidLinks: true,
    keepDeliveryStatus: true,
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
  };
  try {
    return await simpleParser(raw, { ...options, maxHtmlLengthToParse: MAX_CONVERTED_HTML_BYTES });
  } catch {
    try {
      // The usual cause is HTML beyond the bound: the mail is read again without converting it.
      return await simpleParser(raw, { ...options, skipHtmlToText: true });
    } catch {
      throw new HubError('CHANNEL.UNREADABLE', 'the bytes are no mail that can be read', {
        facts: { bytes: raw.length },
      });
    }
  }
};

const headersOf = (mail: ParsedMail): MailHeaders => {
  const first = new Map<string, string>();
  for (const { key, line } of mail.headerLines ?? [])
    if (!first.has(key))
      first.set(
        key,
        line
          .slice(line.indexOf(':') + 1)
          .replace(/\r?\n[ \t]/g, ' ')
          .trim(),
      );
  return { get: (name) => first.get(name) };
};

/** The `<...>` tokens of a header; prose around them ("Your message of ...") is no id. */
const tokens = (header: string | undefined): string[] => header?.slice(0, 64 * 1024).match(/<[^<>\s]{1,996}>/g) ?? [];

const flattenGroups = (addresses: readonly EmailAddress[]): EmailAddress[] =>
  addresses.flatMap((a) => (a.group ? flattenGroups(a.group) : [a]));

const isAddressObject = (value: unknown): value is AddressObject =>
  typeof value === 'object' && value !== null && 'value' in value && Array.isArray(value.value);

const people = (header: unknown): Person[] =>
  (Array.isArray(header) ? (header as unknown[]) : [header])
    .filter(isAddressObject)
    .flatMap((object) => flattenGroups(object.value))
    .slice(0, 500)
    .map(({ address, name }) => ({ address: lineOf(address) ?? '', name: lineOf(name) }))
    .filter(({ address }) => /^[^\s@<>]{1,128}@[^\s@<>]{1,253}$/.test(address));

const sides = (
  author: Person | undefined,
  addressed: readonly Person[],
  context: MailContext,
): { direction: Direction; person: Person | undefined } => {
  if (!author || !context.isOwn(author.address)) return { direction: 'inbound', person: author };
  const person = addressed.find(({ address }) => !context.isOwn(address));
  return person ? { direction: 'outbound', person } : { direction: 'internal', person: undefined };
};

const reported = (recipients: readonly string[], context: MailContext): Person | undefined => {
  const address = recipients.find((r) => !context.isOwn(r));
  return address === undefined ? undefined : { address, name: undefined };
};

const occurrence = (
  mail: ParsedMail,
  headers: MailHeaders,
  receivedAtMs: number,
): Pick<ParsedInteraction, 'occurredAt' | 'timeIsOurs'> => {
  // The last relay's stamp is the next best: a mail sent twice carries it twice, which our clock does not.
  const stamped = Date.parse(headers.get('received')?.split(';').at(-1)?.trim() ?? '');
  const known = [mail.date?.getTime(), stamped].find(
    (ms): ms is number => ms !== undefined && ms >= Date.UTC(1971, 0, 1) && ms <= receivedAtMs + futureToleranceMs,
  );
  return known === undefined
    ? { occurredAt: toInstant(receivedAtMs), timeIsOurs: true }
    : { occurredAt: toInstant(known) };
};

const contentOf = (
  mail: ParsedMail,
): Pick<ParsedInteraction, 'text' | 'html'> & { attributes: Record<string, string | number | boolean> } => {
  const given =
    typeof mail.html === 'string' && mail.html.trim() !== ''
      ? mail.html.toWellFormed().replaceAll('\u0000', '')
      : undefined;
  const plain = cleanText(mail.text ?? '').trim();
  const whole = plain === '' && given !== undefined ? withoutTags(given) : plain;
  const { visible, quoted, inlineReply } = splitReply(whole);
  const attributes: Record<string, string | number | boolean> = {};
  if (quoted !== undefined) [attributes.quoted, attributes.quotedText] = [true, boundedQuote(quoted)];
  if (inlineReply) attributes.inlineReply = true;
  // The text says the same: markup that would push the mail over the limit of a contact is left to the original.
  const htmlBytes = given === undefined ? 0 : Buffer.byteLength(JSON.stringify(given));
  const room = LIMITS.interactionBytes - Buffer.byteLength(JSON.stringify(visible)) - 64 * 1024;
  const html = htmlBytes <= room ? given : undefined;
  if (given !== undefined && html === undefined) attributes.htmlOmittedBytes = htmlBytes;
  return { ...(visible === '' ? {} : { text: visible }), ...(html === undefined ? {} : { html }), attributes };
};

const boundedQuote = (quoted: string): string => {
  let kept = quoted.slice(0, QUOTED_TEXT_BOUND.characters);
  while (Buffer.byteLength(JSON.stringify(kept)) > QUOTED_TEXT_BOUND.bytes)
    kept = kept.slice(0, Math.floor(kept.length * 0.9));
  return kept.toWellFormed();
};

/** Text of HTML that is too big for a real converter: one pass, tags and the contents of style and script dropped. */
const withoutTags = (html: string): string => {
  const pieces: string[] = [];
  for (let at = 0; at < html.length;) {
    const open = html.indexOf('<', at);
    pieces.push(html.slice(at, open < 0 ? undefined : open));
    if (open < 0) break;
    const silent = /^<(style|script|head|title)\b/i.exec(html.slice(open, open + 10))?.[1];
    const close = silent === undefined ? html.indexOf('>', open) : closing(html, silent, open);
    if (/^<(?:br|\/p|\/div|\/tr|\/h\d|\/li)\b/i.test(html.slice(open, open + 6))) pieces.push('\n');
    at = close < 0 ? html.length : close + 1;
  }
  const text = pieces.join('').replace(/&(nbsp|lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name]!);
  return cleanText(text).replace(/[ \t]+/g, ' ').split('\n').map((line) => line.trim()).join('\n').replace(/\n{3,}/g, '\n\n').trim(); // prettier-ignore
};

const closing = (html: string, tag: string, from: number): number => {
  const lower = `</${tag.toLowerCase()}`;
  for (let at = html.indexOf('</', from); at >= 0; at = html.indexOf('</', at + 2))
    if (html.slice(at, at + lower.length).toLowerCase() === lower) return html.indexOf('>', at);
  return -1;
};

const entities: Readonly<Record<string, string>> = { nbsp: ' ', lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };

const attachmentOf = (part: MailAttachment): NonNullable<ParsedInteraction['attachments']>[number] => {
  const name = lineOf(part.filename);
  const contentType = lineOf(part.contentType);
  return {
    ...(name === undefined ? {} : { name }),
    ...(contentType === undefined ? {} : { contentType }),
    bytes: part.size,
  };
};

const bodyOf = (raw: Buffer): Buffer => {
  const crlf = raw.indexOf('\r\n\r\n');
  const lf = raw.indexOf('\n\n');
  const at = crlf >= 0 && (lf < 0 || crlf < lf) ? crlf : lf;
  return at < 0 ? Buffer.alloc(0) : raw.subarray(at);
};
