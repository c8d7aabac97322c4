import { isUtf8 } from 'node:buffer';
import { parseJson } from '#libs/access';
import type { BusMessage } from '#libs/bus';
import { detailOf, type ItemError } from '#libs/channels/ingest/delivery.js';
import { MAX_AHEAD_MS, type Intake } from '#libs/channels/ingest/inbound.js';
import { LIMITS, codeOf, messageOf, parseInstantMs, toInstant, type IdFactory } from '#libs/kernel';
import { MAX_LINE_BYTES, type InputLine } from './line-reader.js';

/** Why a line is not taken. */
export interface Refusal {
  error: ItemError;
}

const refusal = (code: string, detail: string): Refusal => ({ error: { code, detail } });

/** The value of a line, or why it has none. */
export const valueOf = ({ bytes, cut }: InputLine): { value: unknown } | Refusal => {
  if (cut) return refusal('IMPORT.LINE_TOO_LONG', `the line has more than ${MAX_LINE_BYTES} bytes`);
  if (!isUtf8(bytes)) return refusal('INGEST.NOT_JSON', 'the line is not UTF-8');
  try {
    return { value: parseJson(textOf(bytes), LIMITS.interactionBytes) };
  } catch (error) {
    if (codeOf(error) !== 'REQUEST.NOT_JSON') throw error;
    return refusal('INGEST.NOT_JSON', messageOf(error).replace('the body', 'the line').replace('line 1, ', ''));
  }
};

/** The text of a line; a byte order mark may stand before the first one. */
export const textOf = (bytes: Buffer): string => {
  const text = bytes.toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
};

export const hasReceivedAt = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'receivedAt');

/**
 * The message of an item, read as the ingest API reads it, but for `receivedAt`: an operator who brings old data along
 * knows when it arrived, so that what came late then is late now.
 */
export const messageOfItem = (
  intake: Intake,
  value: unknown,
  edge: { tenant: string; ids: IdFactory; nowMs: number },
): BusMessage | Refusal => {
  let receivedMs = edge.nowMs;
  let item = value;
  if (hasReceivedAt(value)) {
    const { receivedAt, ...rest } = value;
    const given = typeof receivedAt === 'string' ? parseInstantMs(receivedAt) : undefined;
    if (given === undefined || given > edge.nowMs + MAX_AHEAD_MS)
      return invalidReceivedAt(given === undefined ? 'is no instant' : 'is over 24 hours ahead of our clock');
    receivedMs = given;
    item = rest;
  }
  const at = { ...edge, receivedAt: toInstant(receivedMs) };
  const message = intake.read(item, at);
  if (!message) {
    const errors = intake.explain(item, '$', at);
    return { error: { code: 'INGEST.INVALID', detail: detailOf(errors), errors } };
  }
  const bytes = Buffer.byteLength(JSON.stringify(item));
  if (bytes > LIMITS.interactionBytes)
    return refusal('INGEST.TOO_LARGE', `it has ${bytes} bytes of JSON, at most ${LIMITS.interactionBytes} are taken`);
  return message;
};

const invalidReceivedAt = (problem: string): Refusal => {
  const errors = [
    {
      path: '$.receivedAt',
      message: problem,
      allowed: 'ISO 8601 date and time with zone, for example 2025-03-02T09:15:00Z',
    },
  ];
  return { error: { code: 'INGEST.INVALID', detail: detailOf(errors), errors } };
};
