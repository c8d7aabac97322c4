import {
  INTERACTION_KINDS,
  parseInstantMs,
  toInstant,
  type AttributeValue,
  type CustomerIdentifier,
  type InteractionKind,
} from '#libs/kernel';
import type {
  IgnoredItem,
  ParsedDelivery,
  ParsedInteraction,
  RawDelivery,
  RejectedItem,
} from '../channel-adapter.port.js';
import { contactOf, flatten, sha256 } from '../shared/contact.js';
import { attributesOf, fieldsOf, idOf, lineOf, listOf, readJsonObject, textOf, type Lax } from '../shared/lax.js';
import { DEFAULT_CONTACT_EVENTS, SEGMENT_LIMITS, type SegmentSettings } from './segment.config.js';
import type { SegmentBatch, SegmentContext, SegmentEvent, SegmentTraits } from './segment.types.js';

/** What each path holds; the one-letter ones are those of browser SDKs. */
export const SEGMENT_PATHS: Readonly<Record<string, SegmentEvent['type'] | 'batch'>> = {
  track: 'track', t: 'track', identify: 'identify', i: 'identify', page: 'page', p: 'page', screen: 'screen', s: 'screen',
  group: 'group', g: 'group', alias: 'alias', a: 'alias', batch: 'batch', b: 'batch',
}; // prettier-ignore

/** The last step of a call's path. */
export const pathOf = (url: string): SegmentEvent['type'] | 'batch' | undefined => {
  const last = url.split(/[?#]/, 1)[0]!.split('/').at(-1)!;
  return Object.hasOwn(SEGMENT_PATHS, last) ? SEGMENT_PATHS[last] : undefined;
};

/** Every event of a call that is a contact; one bad event spoils no batch. @throws HubError `CHANNEL.UNREADABLE` */
export const parseSegment = (delivery: RawDelivery, settings: SegmentSettings): ParsedDelivery => {
  const { account, body, url, receivedAtMs } = delivery;
  const path = pathOf(url);
  const call = readJsonObject<SegmentBatch & SegmentEvent>(body);
  const isBatch = path === 'batch' || (path === undefined && Array.isArray(call.batch));
  const reader: Reader = { account: account.name, receivedAtMs, kinds: kindsOf(settings) };
  const interactions: ParsedInteraction[] = [];
  const ignored: IgnoredItem[] = [];
  const rejected: RejectedItem[] = [];
  const items = isBatch ? listOf(call.batch) : [call];
  items.forEach((value, index) => {
    const item = isBatch ? `batch[${index}]` : 'event';
    const event = fieldsOf<SegmentEvent>(value);
    const raw = JSON.stringify(value) ?? 'null';
    if (!event) {
      rejected.push({ reason: 'invalid:not an object', item, raw });
      return;
    }
    if (Buffer.byteLength(raw) > SEGMENT_LIMITS.eventBytes) {
      rejected.push({ reason: `too-large:more than ${SEGMENT_LIMITS.eventBytes} bytes`, item, raw });
      return;
    }
    const context = { ...fieldsOf<SegmentContext>(call.context), ...fieldsOf<SegmentContext>(event.context) };
    const type = lineOf(event.type) ?? (isBatch ? undefined : path);
    const reading = read(
      reader,
      { ...event, type, context, sentAt: event.sentAt ?? call.sentAt },
      `${sha256(raw)}:${receivedAtMs}:${index}`,
    );
    if (typeof reading !== 'string') interactions.push(reading);
    else if (reading.startsWith('invalid')) rejected.push({ reason: reading, item, raw });
    else ignored.push({ reason: reading, item: idOf(event.messageId) ?? item });
  });
  return { interactions, ignored, ...(rejected.length === 0 ? {} : { rejected }) };
};

interface Reader {
  account: string;
  receivedAtMs: number;
  kinds: ReadonlyMap<string, InteractionKind>;
}

const kindsOf = (settings: SegmentSettings): ReadonlyMap<string, InteractionKind> => {
  const kinds = new Map(Object.entries(DEFAULT_CONTACT_EVENTS));
  for (const [event, kind] of Object.entries(settings.events ?? {}))
    if (kind === 'ignore') kinds.delete(event.toLowerCase());
    else if (INTERACTION_KINDS.includes(kind)) kinds.set(event.toLowerCase(), kind);
  return kinds;
};

/** The contact, or why there is none. `unnamed` stands for the id of an event without one. */
const read = (reader: Reader, event: Lax<SegmentEvent>, unnamed: string): ParsedInteraction | string => {
  const [userId, anonymousId, previousId] = [idOf(event.userId), idOf(event.anonymousId), idOf(event.previousId)];
  const type = event.type;
  if (
    type === 'alias'
      ? userId === undefined || previousId === undefined
      : userId === undefined && anonymousId === undefined
  )
    return `invalid:${type === 'alias' ? 'previousId and userId are' : 'userId or anonymousId is'} required`;
  const traits = fieldsOf<SegmentTraits>(event.traits) ?? {};
  const context = fieldsOf<SegmentContext>(event.context) ?? {};
  const properties = fieldsOf<Record<string, unknown>>(event.properties) ?? {};
  const identifiers = identifiersOf(type === 'alias' ? (previousId ?? anonymousId) : anonymousId, userId);
  const contact = (kind: InteractionKind, over: Partial<ParsedInteraction>): ParsedInteraction =>
    contactOf({
      channel: 'web',
      account: reader.account,
      externalId: idOf(event.messageId) ?? `unnamed:${unnamed}`,
      kind,
      direction: 'inbound',
      ...occurrence(event, reader.receivedAtMs),
      customer: { identifiers },
      ...over,
    });

  switch (type) {
    case 'identify':
    case 'alias':
      return contact('identify', {
        customer: { identifiers: [...identifiers, ...claims(traits)], name: nameOf(traits) },
        attributes: attributesOf(
          flatten('traits.', without(traits, ['email', 'phone', 'name', 'firstName', 'lastName'])),
        ),
      });
    case 'page':
    case 'screen': {
      const page = fieldsOf<NonNullable<SegmentContext['page']>>(context.page) ?? {};
      const title = lineOf(properties.title) ?? lineOf(page.title);
      return contact('visit', {
        subject: lineOf(event.name) ?? title,
        attributes: attributesOf({
          ...pageOf(context),
          visitType: type,
          category: lineOf(event.category),
          title,
          url: urlOf(properties.url) ?? urlOf(page.url),
          path: lineOf(properties.path) ?? lineOf(page.path),
          referrer: urlOf(properties.referrer) ?? urlOf(page.referrer),
        }),
      });
    }
    case 'track': {
      const name = lineOf(event.event);
      if (name === undefined) return 'invalid:event is required';
      const kind = reader.kinds.get(name.toLowerCase());
      if (kind === undefined) return 'unmapped-event';
      const text = textOf(properties.message) ?? textOf(properties.text);
      return contact(kind, {
        subject: name,
        text,
        attributes: attributesOf({
          ...flatten('', without(properties, text === undefined ? [] : ['message', 'text'])),
          ...pageOf(context),
        }),
      });
    }
    case 'group':
      return 'group';
    default:
      // The reason is kept in clear beside the sealed bytes: it repeats nothing of them.
      return `invalid:type is ${type === undefined ? 'missing' : 'not known'}`;
  }
};

// Write keys are public in browsers: whoever has one may claim to be anybody, so nothing here is verified.
const identifiersOf = (cookie: string | undefined, account: string | undefined): CustomerIdentifier[] => [
  ...(account === undefined ? [] : [{ type: 'account', value: account, verified: false }]),
  ...(cookie === undefined ? [] : [{ type: 'cookie', value: cookie }]),
];

const claims = (traits: Lax<SegmentTraits>): CustomerIdentifier[] => {
  const [email, phone] = [lineOf(traits.email), idOf(traits.phone)];
  return [
    ...(email !== undefined && /^[^\s@]+@[^\s@]+$/.test(email) ? [{ type: 'email', value: email }] : []),
    ...(phone === undefined ? [] : [{ type: 'phone', value: phone }]),
  ];
};

const nameOf = (traits: Lax<SegmentTraits>): string | undefined =>
  lineOf(traits.name) ??
  lineOf([lineOf(traits.firstName), lineOf(traits.lastName)].filter((part) => part !== undefined).join(' '));

const pageOf = (context: Lax<SegmentContext>): Record<string, AttributeValue> => ({
  ...flatten('campaign.', fieldsOf(context.campaign)),
  ...(lineOf(context.locale) === undefined ? {} : { locale: lineOf(context.locale)! }),
});

const without = (object: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

const urlOf = (value: unknown): string | undefined => lineOf(value);

/** Clocks may run ahead of ours by this much before a time without `sentAt` is not believed. */
const futureToleranceMs = 5 * 60_000;

/** The sender's time, corrected by how far its clock was off when it sent: `receivedAt - (sentAt - timestamp)`. */
const occurrence = (
  event: Lax<SegmentEvent>,
  receivedAtMs: number,
): Pick<ParsedInteraction, 'occurredAt' | 'timeIsOurs'> => {
  const timestampMs = looseInstantMs(event.timestamp) ?? looseInstantMs(event.originalTimestamp);
  const sentAtMs = looseInstantMs(event.sentAt);
  const ours = (ms: number) => ({ occurredAt: toInstant(ms), timeIsOurs: true as const });
  if (timestampMs === undefined) return ours(receivedAtMs);
  if (sentAtMs !== undefined) {
    const corrected = receivedAtMs - (sentAtMs - timestampMs);
    if (corrected <= receivedAtMs && corrected >= 0) return ours(corrected);
  }
  return timestampMs <= receivedAtMs + futureToleranceMs ? { occurredAt: toInstant(timestampMs) } : ours(receivedAtMs);
};

// Dates such as 2015-2-02T00:30:08Z occur in what SDKs send.
const looseInstantMs = (value: unknown): number | undefined => {
  const match = typeof value === 'string' ? /^(\d{4})-(\d{1,2})-(\d{1,2})[T ](.{1,30})$/.exec(value) : null;
  if (!match) return undefined;
  const [, year = '', month = '', day = '', rest = ''] = match;
  const ms = parseInstantMs(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T${rest}`);
  return ms !== undefined && ms >= 0 ? ms : undefined;
};
