import { HubError, toInstant, type Attachment, type CustomerIdentifier } from '#libs/kernel';
import type { ParsedDelivery, RawDelivery } from '../channel-adapter.port.js';
import { contactOf, flatten, sha256 } from '../shared/contact.js';
import { collect, readUrlencoded, type FormFields } from '../shared/form-fields.js';
import { attributesOf, fieldsOf, lineOf, readJson, textOf } from '../shared/lax.js';
import { DEFAULT_FIELDS, type ContactFormSettings } from './contact-form.config.js';
import type { ContactFormMeaning } from './contact-form.types.js';

/** A double click or reload within this time is the same message. */
const repeatWindowMs = 10 * 60_000;
const maxParts = 200;

/** One submission as a contact. @throws HubError `CHANNEL.UNREADABLE` */
export const parseContactForm = async (
  delivery: RawDelivery,
  settings: ContactFormSettings,
): Promise<ParsedDelivery> => {
  const { account, headers, receivedAtMs } = delivery;
  const { fields, files } = await readForm(delivery, settings.dataPath);
  const item = account.id;
  if (settings.honeypots.some((trap) => fields.get(trap)?.some((value) => value !== '')))
    return { interactions: [], ignored: [{ reason: 'honeypot', item }] };

  const used = new Set(settings.honeypots);
  const get = (meaning: keyof ContactFormMeaning): string | undefined => {
    const declared = settings.fields && Object.hasOwn(settings.fields, meaning) ? settings.fields[meaning] : undefined;
    const names = declared === undefined ? DEFAULT_FIELDS[meaning] : [declared].flat();
    for (const name of names) {
      const value = fields
        .get(name)
        ?.map((v) => textOf(v))
        .filter((v) => v !== undefined)
        .join(', ');
      if (fields.has(name)) used.add(name);
      if (value) return value;
    }
    return undefined;
  };
  const said = {
    name: lineOf(get('name')), email: lineOf(get('email')), phone: lineOf(get('phone')), subject: lineOf(get('subject')), message: get('message'),
    order: lineOf(get('order')), consent: lineOf(get('consent')), submissionId: lineOf(get('submissionId')), page: lineOf(get('page')),
  }; // prettier-ignore
  if (
    said.message === undefined &&
    said.subject === undefined &&
    said.email === undefined &&
    said.phone === undefined &&
    files.length === 0
  )
    return { interactions: [], ignored: [{ reason: 'no-contact-data', item }] };

  // What a visitor types is a claim: nobody proved the address to be theirs.
  const identifiers: CustomerIdentifier[] = [];
  if (said.email !== undefined && /^[^\s@]+@[^\s@]+$/.test(said.email))
    identifiers.push({ type: 'email', value: said.email });
  if (said.phone !== undefined) identifiers.push({ type: 'phone', value: said.phone });
  const others = Object.fromEntries(
    [...fields].filter(([name]) => !used.has(name)).map(([name, values]) => [name, values.join(', ')]),
  );
  const externalId =
    said.submissionId === undefined
      ? `form:${sha256(account.id, said.email ?? said.phone ?? '', said.subject ?? '', said.message ?? '')}:${Math.floor(receivedAtMs / repeatWindowMs)}`
      : `submission:${said.submissionId}`;
  return {
    interactions: [
      contactOf({
        channel: 'web',
        account: account.name,
        externalId,
        kind: 'message',
        direction: 'inbound',
        occurredAt: toInstant(receivedAtMs),
        timeIsOurs: true,
        customer: { identifiers, ...(said.name === undefined ? {} : { name: said.name }) },
        subject: said.subject,
        text: said.message,
        attachments: files,
        attributes: attributesOf({
          ...flatten('field.', others),
          order: said.order,
          consent: said.consent,
          page: said.page ?? lineOf(headers.referer),
        }),
      }),
    ],
    ignored: [],
  };
};

interface Form {
  fields: FormFields;
  /** Metadata only: the files themselves are not kept. */
  files: Attachment[];
}

const readForm = async ({ headers, body }: RawDelivery, dataPath: string | undefined): Promise<Form> => {
  const contentType = headers['content-type'] ?? '';
  if (/^multipart\/form-data\b/i.test(contentType)) return readMultipart(contentType, body);
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType))
    return { fields: readUrlencoded(body.toString('utf8')), files: [] };
  // Beacons and hand-made scripts send JSON under text/plain.
  return { fields: ofJson(readJson(body), dataPath), files: [] };
};

const ofJson = (value: unknown, dataPath: string | undefined): FormFields => {
  let data = value;
  for (const step of dataPath?.split('.') ?? []) {
    const at = fieldsOf<Record<string, unknown>>(data);
    data = at && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  const fields = fieldsOf<Record<string, unknown>>(data);
  if (!fields)
    throw new HubError(
      'CHANNEL.UNREADABLE',
      `the body holds no object${dataPath === undefined ? '' : ` at ${dataPath}`}`,
    );
  return collect(
    Object.entries(fields).flatMap(([name, given]) =>
      [given]
        .flat()
        .filter((v) => typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean')
        .map((v) => [name, String(v)] as const),
    ),
  );
};

// The parser of Node itself: the body is in memory and bounded already, which is all a streaming parser would add.
const readMultipart = async (contentType: string, body: Buffer): Promise<Form> => {
  const boundary = /boundary="?([^";\s]{1,70})/i.exec(contentType)?.[1];
  if (boundary === undefined || countOf(body, `--${boundary}`) > maxParts)
    throw new HubError('CHANNEL.UNREADABLE', `the multipart body has no boundary or more than ${maxParts} parts`);
  let entries: [string, string | File][];
  try {
    const data = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
    entries = [...data.entries()];
  } catch {
    throw new HubError('CHANNEL.UNREADABLE', 'the multipart body cannot be read', { facts: { bytes: body.length } });
  }
  const files: Attachment[] = [];
  const texts: [string, string][] = [];
  for (const [name, value] of entries)
    if (typeof value === 'string') texts.push([name, value]);
    else if (value.size > 0 || value.name !== '')
      files.push({ name: lineOf(value.name), contentType: lineOf(value.type), bytes: value.size });
  return { fields: collect(texts), files };
};

const countOf = (body: Buffer, mark: string): number => {
  let count = 0;
  for (let at = body.indexOf(mark); at >= 0 && count <= maxParts; at = body.indexOf(mark, at + mark.length)) count++;
  return count;
};
