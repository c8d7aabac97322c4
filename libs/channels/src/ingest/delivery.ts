import { parseJson, ProblemError, readTextBody, type FieldError } from '#libs/access';
import { codeOf, HubError, LIMITS, messageOf } from '#libs/kernel';
import { eventOfHeaders, isBinaryEvent, unwrapEvent } from './cloud-event.js';

export const CONTENT_TYPES = [
  'application/json',
  'application/x-ndjson',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
] as const;

/** Characters that are parsed in no time however deep they nest; no shape that is accepted nests deeper than 5. */
const PARSES_QUICKLY = 64 * 1024;

/** Why one item of a body is not taken. */
export interface ItemError {
  code: string;
  detail: string;
  errors?: readonly FieldError[];
}

/** The items of one body, in its order. */
export interface Delivery {
  /** One entry per item; meaningless where `faults` has one. */
  values: unknown[];
  /** Items that could not even be read, by index. */
  faults: Map<number, ItemError>;
  /** Whether the body is one item and no batch. */
  single: boolean;
  pathOf(index: number): string;
}

export interface RawRequest {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body?: unknown;
}

/**
 * Reads the items out of a body by its content type.
 * @param timeField where a CloudEvent's `time` goes when the data has none.
 * @throws HubError `INGEST.UNSUPPORTED_TYPE` (415), `REQUEST.NOT_JSON` (400), `INGEST.TOO_MANY` (413), `INGEST.INVALID` (422, empty batch).
 */
export const readDelivery = ({ headers, body }: RawRequest, timeField?: string): Delivery => {
  const type = mediaTypeOf(headers);
  const text = readTextBody(body);
  if (type === 'application/x-ndjson') return lines(text);
  const content = parseJson(text, PARSES_QUICKLY);
  if (type === 'application/cloudevents+json') return oneEvent(content, timeField, '.data');
  if (type === 'application/cloudevents-batch+json') return manyEvents(content, timeField);
  return isBinaryEvent(headers) ? oneEvent(eventOfHeaders(headers, content), timeField, '') : plain(content);
};

const rootPath = () => '$';
const itemPath = (index: number) => `$[${index}]`;

const plain = (value: unknown): Delivery =>
  Array.isArray(value)
    ? { values: bounded(value), faults: new Map(), single: false, pathOf: itemPath }
    : { values: [value], faults: new Map(), single: true, pathOf: rootPath };

const lines = (text: string): Delivery => {
  const values: unknown[] = [];
  const faults = new Map<number, ItemError>();
  let line = 0;
  for (let from = 0; from <= text.length; line++) {
    const end = text.indexOf('\n', from);
    const content = text.slice(from, end < 0 ? text.length : end);
    from = end < 0 ? text.length + 1 : end + 1;
    if (content.trim() === '') continue;
    if (values.length >= LIMITS.batchItems) throw tooMany(`more than ${LIMITS.batchItems}`);
    try {
      values.push(parseJson(content, PARSES_QUICKLY));
    } catch (error) {
      if (codeOf(error) !== 'REQUEST.NOT_JSON') throw error;
      faults.set(values.length, {
        code: 'INGEST.NOT_JSON',
        detail: `line ${line + 1}: ${messageOf(error).replace('the body', 'it').replace('line 1, ', '')}`,
      });
      values.push(undefined);
    }
  }
  if (values.length === 0) throw empty();
  return { values, faults, single: false, pathOf: itemPath };
};

const oneEvent = (event: unknown, timeField: string | undefined, dataPath: string): Delivery => {
  const delivery: Delivery = { values: [], faults: new Map(), single: true, pathOf: () => `$${dataPath}` };
  addEvent(delivery, event, '$', timeField);
  return delivery;
};

const manyEvents = (events: unknown, timeField?: string): Delivery => {
  if (!Array.isArray(events))
    throw new ProblemError('INGEST.INVALID', 'the body is no batch of events', {
      errors: [
        { path: '$', message: 'is no list', allowed: 'list of CloudEvents; one alone is application/cloudevents+json' },
      ],
    });
  const delivery: Delivery = { values: [], faults: new Map(), single: false, pathOf: (index) => `$[${index}].data` };
  for (const [index, event] of bounded(events).entries()) addEvent(delivery, event, itemPath(index), timeField);
  return delivery;
};

const addEvent = (delivery: Delivery, event: unknown, path: string, timeField?: string): void => {
  const { value, errors } = unwrapEvent(event, path, timeField);
  if (errors) delivery.faults.set(delivery.values.length, { code: 'INGEST.INVALID', detail: detailOf(errors), errors });
  delivery.values.push(value);
};

/** One sentence for people who do not read on. */
export const detailOf = (errors: readonly FieldError[]): string => {
  const [first] = errors;
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  return first ? `${first.path} ${first.message}${more}` : 'not acceptable';
};

const bounded = (items: unknown[]): unknown[] => {
  if (items.length === 0) throw empty();
  if (items.length > LIMITS.batchItems) throw tooMany(String(items.length));
  return items;
};

const empty = () => new HubError('INGEST.INVALID', 'the batch is empty');

const tooMany = (count: string) =>
  new HubError('INGEST.TOO_MANY', `the batch has ${count} items, at most ${LIMITS.batchItems} are taken at once`);

type ContentType = (typeof CONTENT_TYPES)[number];

const isKnown = (type: string | undefined): type is ContentType =>
  (CONTENT_TYPES as readonly (string | undefined)[]).includes(type);

const mediaTypeOf = (headers: RawRequest['headers']): ContentType => {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw unsupported('a compressed body is not taken', 'no Content-Encoding');
  const header = headers['content-type'];
  if (typeof header === 'string') {
    if (isKnown(header)) return header;
    const [type, ...parameters] = header
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    const charset = parameters
      .find((parameter) => parameter.startsWith('charset='))
      ?.slice(8)
      .replaceAll('"', '');
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
      throw unsupported('the text is not declared as UTF-8', 'charset=utf-8');
    if (isKnown(type)) return type;
  }
  throw unsupported('the content type is not taken here', CONTENT_TYPES.join(', '));
};

const unsupported = (detail: string, allowed: string) =>
  new ProblemError('INGEST.UNSUPPORTED_TYPE', `${detail}; use ${allowed}`, {
    errors: [{ path: 'Content-Type', message: detail, allowed }],
  });
