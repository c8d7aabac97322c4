import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import { codeOf } from '#libs/kernel';
import { busKeyOf } from '../bus-key.js';
import { fromCloudEvent, toCloudEvent, type CloudEvent } from '../cloud-event.js';
import type { BusMessage } from '../interaction-bus.port.js';

/** Seals what lies on the brokers; only who has the installation's keys opens it. */
export interface MessageSeal {
  /** The seal of this moment, under a key that is durable. `bound` is what the content belongs to. */
  now(): Promise<(bound: string, plain: string | Buffer) => Buffer>;
  /** The content, or undefined where its key was destroyed; rejects when it was changed or belongs to something else. */
  open(bound: string, sealed: Buffer): Promise<Buffer | undefined>;
  isSealed(bytes: Buffer): boolean;
  /** Destroys the keys of everything older than the retention (milliseconds). */
  endBefore(retentionMs: number): Promise<number>;
}

/** The content type of sealed data in a binary-mode event. */
export const SEALED_CONTENT_TYPE = 'application/vnd.hilo.sealed';

/** A message ready to be sealed and sent. */
export interface Outgoing {
  key: string;
  headers: Record<string, string>;
  bound: string;
  json: string;
  /** Of the content, before it is sealed. */
  bytes: number;
}

/**
 * The CloudEvents Kafka binding in binary mode: the envelope in `ce_` headers, the data sealed in the value.
 * @param hashKey keeps what the bus key is made of out of Kafka
 */
export const outgoingOf = (message: BusMessage, hashKey: (busKey: string) => string): Outgoing => {
  const { data, ...envelope } = toCloudEvent(message);
  const json = JSON.stringify(data);
  return {
    key: hashKey(busKeyOf(message)),
    headers: {
      'content-type': SEALED_CONTENT_TYPE,
      ce_specversion: envelope.specversion,
      ce_id: envelope.id,
      ce_source: envelope.source,
      ce_type: envelope.type,
      ce_time: envelope.time,
    },
    bound: boundTo(envelope),
    json,
    bytes: Buffer.byteLength(json),
  };
};

export const sealed = (
  { key, headers, bound, json }: Outgoing,
  seal: (bound: string, plain: string) => Buffer,
): Message => ({ key, headers, value: seal(bound, json) });

/** Why something on a topic is no message, for an operator; `code` tells the kinds apart. */
export interface Unreadable {
  code: 'BUS.NOT_SEALED' | 'BUS.KEY_ENDED' | 'BUS.SEAL_BROKEN' | 'BUS.UNREADABLE';
  problem: string;
}

/** The message that one of our programs published, or why it is none. Rejects when no key can be read at the moment. */
export const openMessage = async (
  { headers, value }: KafkaMessage,
  seal: MessageSeal,
): Promise<BusMessage | Unreadable> => {
  const { 'content-type': type, ce_specversion: specversion, ce_id, ce_source, ce_type } = textHeaders(headers);
  if (type !== SEALED_CONTENT_TYPE || !value || !seal.isSealed(value))
    return { code: 'BUS.NOT_SEALED', problem: 'it was not published by this installation' };
  let opened: Buffer | undefined;
  try {
    opened = await seal.open(boundTo({ id: ce_id ?? '', type: ce_type ?? '', source: ce_source ?? '' }), value);
  } catch (error) {
    if (codeOf(error) !== 'PRIVACY.SEAL_BROKEN') throw error;
    return { code: 'BUS.SEAL_BROKEN', problem: 'it was changed, or its headers are of another message' };
  }
  if (!opened) return { code: 'BUS.KEY_ENDED', problem: 'its key has ended with the retention of the bus' };
  const data = JSON.parse(opened.toString()) as unknown;
  const read = fromCloudEvent({ specversion, id: ce_id, source: ce_source, type: ce_type, data });
  return 'message' in read ? read.message : { code: 'BUS.UNREADABLE', problem: read.problem };
};

/** Headers as texts; of repeated ones the first. */
export const textHeaders = (headers: IHeaders | undefined): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return [name.toLowerCase(), first?.toString()];
    }),
  );

const boundTo = ({ id, type, source }: Pick<Record<keyof CloudEvent, unknown>, 'id' | 'type' | 'source'>): string =>
  `hilo bus message\0${String(id)}\0${String(type)}\0${String(source)}`;
