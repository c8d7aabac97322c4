import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import { codeOf } from '#libs/kernel';
import { busKeyOf } from '../bus-key.js';
import { CLOUD_EVENT_CONTENT_TYPE, fromCloudEvent, toCloudEvent, type CloudEvent } from '../cloud-event.js';
import type { BusMessage } from '../interaction-bus.port.js';

/** Seals what lies on the brokers; only who has the installation's keys opens it. */
export interface MessageSeal {
  /** The seal of this moment, under a key that is durable. `bound` is what the content belongs to. */
  now(): Promise<(bound: string, plain: string | Buffer) => Buffer>;
  /**
   * Opens these: gives the content, or undefined where its key was destroyed; throws `PRIVACY.SEAL_BROKEN` when it was
   * changed or belongs to something else.
   */
  opener(sealed: readonly Buffer[]): Promise<OpenSealed>;
  isSealed(bytes: Buffer): boolean;
  /** Destroys the keys of everything older than the retention (milliseconds). */
  endBefore(retentionMs: number): Promise<number>;
}

type OpenSealed = (bound: string, sealed: Buffer) => Buffer | undefined;

/** The content type of data that is sealed. */
export const SEALED_CONTENT_TYPE = 'application/vnd.hilo.sealed';

/** A message ready to be sealed and sent. */
export interface Outgoing {
  key: string;
  envelope: Envelope;
  json: string;
  /** Of the content, before it is sealed. */
  bytes: number;
}

type Envelope = Omit<CloudEvent, 'data'>;

/** @param hashKey keeps what the bus key is made of out of Kafka */
export const outgoingOf = (message: BusMessage, hashKey: (busKey: string) => string): Outgoing => {
  const event = toCloudEvent(message);
  const json = JSON.stringify(event.data);
  return { key: hashKey(busKeyOf(message)), envelope: event, json, bytes: Buffer.byteLength(json) };
};

/**
 * The CloudEvents Kafka binding in structured mode: the envelope in clear, the data sealed in `data_base64`. Binary mode
 * would be as good, but the client takes 4 µs for each header.
 */
export const sealed = ({ key, envelope, json }: Outgoing, seal: (bound: string, plain: string) => Buffer): Message => {
  const { specversion, id, source, type, time, traceparent } = envelope;
  const datacontenttype = SEALED_CONTENT_TYPE;
  const head = JSON.stringify({ specversion, id, source, type, time, datacontenttype, traceparent });
  const data = seal(boundTo(envelope), json).toString('base64');
  return { key, headers: STRUCTURED, value: `${head.slice(0, -1)},"data_base64":"${data}"}` };
};

const STRUCTURED = { 'content-type': CLOUD_EVENT_CONTENT_TYPE };

/** Why something on a topic is no message, for an operator; `code` tells the kinds apart. */
export interface Unreadable {
  code: 'BUS.NOT_SEALED' | 'BUS.KEY_ENDED' | 'BUS.SEAL_BROKEN' | 'BUS.UNREADABLE';
  problem: string;
}

/** The messages that our programs published, or why one is none. Rejects when no key can be read at the moment. */
export const openMessages = async (
  messages: readonly Pick<KafkaMessage, 'value'>[],
  seal: Pick<MessageSeal, 'opener' | 'isSealed'>,
): Promise<(BusMessage | Unreadable)[]> => {
  const events = messages.map(({ value }) => sealedEventIn(value, seal));
  const open = await seal.opener(events.flatMap((event) => (event ? [event.content] : [])));
  return events.map((event) => (event ? openEvent(event, open) : NOT_SEALED));
};

const NOT_SEALED: Unreadable = {
  code: 'BUS.NOT_SEALED',
  problem: 'it was not published by this installation',
};

const openEvent = ({ event, content }: SealedEvent, open: OpenSealed): BusMessage | Unreadable => {
  let opened: Buffer | undefined;
  try {
    opened = open(boundTo(event), content);
  } catch (error) {
    if (codeOf(error) !== 'PRIVACY.SEAL_BROKEN') throw error;
    return { code: 'BUS.SEAL_BROKEN', problem: 'it was changed, or its envelope is that of another message' };
  }
  if (!opened) return { code: 'BUS.KEY_ENDED', problem: 'its key has ended with the retention of the bus' };
  const { specversion, id, source, type, traceparent } = event;
  const data = JSON.parse(opened.toString()) as unknown;
  const read = fromCloudEvent({ specversion, id, source, type, traceparent, data });
  return 'message' in read ? read.message : { code: 'BUS.UNREADABLE', problem: read.problem };
};

interface SealedEvent {
  event: Record<keyof Envelope, unknown>;
  content: Buffer;
}

const sealedEventIn = (value: Buffer | null, seal: Pick<MessageSeal, 'isSealed'>): SealedEvent | undefined => {
  try {
    const event = JSON.parse(value?.toString() ?? '') as Partial<
      SealedEvent['event'] & { data_base64: unknown }
    > | null;
    if (event?.datacontenttype !== SEALED_CONTENT_TYPE || typeof event.data_base64 !== 'string') return undefined;
    const content = Buffer.from(event.data_base64, 'base64');
    return seal.isSealed(content) ? { event: event as SealedEvent['event'], content } : undefined;
  } catch {
    return undefined;
  }
};

/** Headers as texts; of repeated ones the first. */
export const textHeaders = (headers: IHeaders | undefined): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return [name.toLowerCase(), first?.toString()];
    }),
  );

const boundTo = ({ id, type, source }: Pick<Record<keyof Envelope, unknown>, 'id' | 'type' | 'source'>): string =>
  `hilo bus message\0${String(id)}\0${String(type)}\0${String(source)}`;
