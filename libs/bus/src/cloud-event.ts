import { instantMs, parseInstantMs, toInstant, type InboundInteraction, type InboundProfile } from '#libs/kernel';
import { readTraceparent } from '#libs/kernel/tracing/tracing.port.js';
import type { BusMessage } from './interaction-bus.port.js';

/** CloudEvents 1.0, JSON format, with what Hilo's messages use of it. */
export interface CloudEvent {
  specversion: '1.0';
  /** The receipt. */
  id: string;
  /** `/tenants/{t}/channels/{c}/accounts/{a}`, each part percent-encoded. */
  source: string;
  type: 'hilo.interaction.v1' | 'hilo.profile.v1';
  /** When the delivery reached the edge. */
  time: string;
  datacontenttype: 'application/json';
  /** The extension for distributed tracing. */
  traceparent?: string;
  data: InboundInteraction | InboundProfile;
}

export const CLOUD_EVENT_CONTENT_TYPE = 'application/cloudevents+json';

/** The message, or why the value is none. */
export type FromCloudEvent = { message: BusMessage } | { problem: string };

export const toCloudEvent = (message: BusMessage): CloudEvent => {
  const data = message.type === 'interaction' ? message.interaction : message.profile;
  const [channel, account] = placeOf(message);
  return {
    specversion: '1.0',
    id: message.receipt,
    source: sourceOf(data.tenant, channel, account),
    type: `hilo.${message.type}.v1`,
    time: toInstant(instantMs(data.receivedAt)),
    datacontenttype: 'application/json',
    ...(message.traceparent !== undefined && { traceparent: message.traceparent }),
    data,
  };
};

/**
 * Total: never throws. It checks the envelope, that source and data name the same place, and the fields that the rest
 * of the way relies on; the declared limits are checked where interactions enter.
 */
export const fromCloudEvent = (value: unknown): FromCloudEvent => {
  if (!isRecord(value)) return { problem: 'not a JSON object' };
  const { specversion, id, source, type, data, datacontenttype } = value;
  if (specversion !== '1.0') return { problem: 'specversion is not 1.0' };
  if (typeof id !== 'string' || id === '') return { problem: 'id is not a text' };
  if (datacontenttype !== undefined && datacontenttype !== null && datacontenttype !== 'application/json')
    return { problem: 'datacontenttype is not application/json' };
  if (!isRecord(data)) return { problem: 'data is not a JSON object' };
  if (type !== 'hilo.interaction.v1' && type !== 'hilo.profile.v1') return { problem: 'type is not known' };
  const fields = type === 'hilo.interaction.v1' ? interactionFields : profileFields;
  const wrong = fields.find((field) => typeof data[field] !== 'string' || data[field] === '');
  if (wrong) return { problem: `data.${wrong} is not a text` };
  const zoneless = ['occurredAt', 'receivedAt'].find((field) => {
    const instant = data[field];
    return instant !== undefined && (typeof instant !== 'string' || parseInstantMs(instant) === undefined);
  });
  if (zoneless) return { problem: `data.${zoneless} is not an instant with a zone` };
  // The fields above are what these types require.
  const message: BusMessage =
    type === 'hilo.interaction.v1'
      ? { type: 'interaction', receipt: id, interaction: data as unknown as InboundInteraction }
      : { type: 'profile', receipt: id, profile: data as unknown as InboundProfile };
  const traceparent = readTraceparent(value.traceparent);
  if (traceparent !== undefined) message.traceparent = traceparent;
  const expected = sourceOf(data.tenant as string, ...placeOf(message));
  return source === expected
    ? { message }
    : { problem: 'source does not name the tenant, channel and account of data' };
};

/** The message of a JSON text, or why it is none. */
export const parseCloudEvent = (json: string): FromCloudEvent => {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { problem: 'not JSON' };
  }
  return fromCloudEvent(value);
};

const interactionFields = [
  'tenant', 'channel', 'account', 'externalId', 'kind', 'direction', 'occurredAt', 'receivedAt',
] as const; // prettier-ignore
const profileFields = ['tenant', 'source', 'externalId', 'receivedAt'] as const;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const placeOf = (message: BusMessage): [channel: string, account: string] =>
  message.type === 'interaction'
    ? [message.interaction.channel, message.interaction.account]
    : ['profile', message.profile.source];

const sourceOf = (...[tenant, channel, account]: [string, string, string]): string =>
  `/tenants/${encoded(tenant)}/channels/${encoded(channel)}/accounts/${encoded(account)}`;

// encodeURIComponent throws on half a surrogate pair; the detour over UTF-8 replaces it.
const encoded = (part: string): string => encodeURIComponent(part.isWellFormed() ? part : Buffer.from(part).toString());
