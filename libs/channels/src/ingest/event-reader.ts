import { parseJson, readTextBody } from '#libs/access';
import type { BusMessage } from '#libs/bus';
import { LIMITS, codeOf, messageOf } from '#libs/kernel';
import { readTraceparent } from '#libs/kernel/tracing/tracing.port.js';
import { unwrapEvent } from './cloud-event.js';
import { detailOf } from './delivery.js';
import { isObject } from './field.js';
import { interactions, profiles, type Edge } from './inbound.js';

/** An event as Kafka carries it: header names in lower case, those of binary mode beginning with `ce_`. */
export interface TransportedEvent {
  headers: Readonly<Record<string, string | undefined>>;
  value: Buffer;
}

const STRUCTURED = /^application\/cloudevents\+json *(;|$)/i;

/**
 * The message of one CloudEvent that came by the Kafka binding, in structured or binary mode, read as the ingest API
 * reads it; or why it is none, in one sentence that repeats no content. The event's type says whether it is a customer
 * record (`hilo.profile.v1`) or, as any other, a contact. Without any header the value counts as a structured event.
 */
export const readEvent = ({ headers, value }: TransportedEvent, edge: Edge): BusMessage | { problem: string } => {
  const binary = headers.ce_specversion !== undefined;
  const type = headers['content-type'];
  if (!binary && type !== undefined && !STRUCTURED.test(type))
    return { problem: 'it is no CloudEvent: neither the header ce_specversion nor application/cloudevents+json' };
  let content: unknown;
  try {
    content = parseJson(readTextBody(value));
  } catch (error) {
    if (codeOf(error) !== 'REQUEST.NOT_JSON') throw error;
    return { problem: messageOf(error).replace('the body', 'the value') };
  }
  const event = binary ? eventOf(headers, content) : content;
  const intake = isObject(event) && event.type === 'hilo.profile.v1' ? profiles : interactions;
  const { value: item, errors } = unwrapEvent(event, '$', intake.timeField);
  if (errors) return { problem: detailOf(errors) };
  const message = intake.read(item, edge);
  if (!message) return { problem: detailOf(intake.explain(item, binary ? '$' : '$.data', edge)) };
  const traceparent = readTraceparent(isObject(event) ? event.traceparent : undefined);
  if (traceparent !== undefined) message.traceparent = traceparent;
  const bytes = Buffer.byteLength(JSON.stringify(item));
  return bytes <= LIMITS.interactionBytes
    ? message
    : { problem: `it has ${bytes} bytes of JSON, at most ${LIMITS.interactionBytes} are taken` };
};

const eventOf = (headers: TransportedEvent['headers'], data: unknown): unknown => ({
  specversion: headers.ce_specversion,
  id: headers.ce_id,
  source: headers.ce_source,
  type: headers.ce_type,
  time: headers.ce_time,
  traceparent: headers.ce_traceparent,
  datacontenttype: headers['content-type'],
  data,
});
