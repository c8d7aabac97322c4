import type { FieldError } from '#libs/access';
import { isObject } from './field.js';

/** What an event carries, ready for validation, or what is wrong with its envelope. */
export type Unwrapped = { value: unknown; errors?: undefined } | { value?: undefined; errors: FieldError[] };

/**
 * The content of a CloudEvent 1.0 in JSON. Any `type` is taken, `hilo.interaction.v1` being ours: the address says what
 * is posted. The event's `id` serves as `externalId` and its `time` as `timeField` where the data has none.
 */
export const unwrapEvent = (event: unknown, path: string, timeField?: string): Unwrapped => {
  if (!isObject(event)) return { errors: [{ path, message: 'is no event', allowed: 'CloudEvent 1.0 object' }] };
  const errors: FieldError[] = [];
  if (event.specversion !== '1.0')
    errors.push({
      path: `${path}.specversion`,
      message: event.specversion === undefined ? 'is missing' : 'is another version',
      allowed: '1.0',
    });
  for (const name of ['id', 'source', 'type'])
    if (!isShortText(event[name]))
      errors.push({
        path: `${path}.${name}`,
        message: event[name] === undefined ? 'is missing' : 'is no such text',
        allowed: 'text of 1 to 500 characters',
      });
  if (!isAbsent(event.datacontenttype) && !isJsonType(event.datacontenttype))
    errors.push({ path: `${path}.datacontenttype`, message: 'is not JSON', allowed: 'application/json' });
  if (!isAbsent(event.data_base64))
    errors.push({ path: `${path}.data_base64`, message: 'is not taken', allowed: 'data, as JSON' });
  else if (!isObject(event.data))
    errors.push({
      path: `${path}.data`,
      message: event.data === undefined ? 'is missing' : 'is no object',
      allowed: 'object',
    });
  if (errors.length > 0) return { errors };
  return { value: withDefaults(event.data as Record<string, unknown>, event.id, event.time, timeField) };
};

/** Whether a request carries its event in `ce-` headers (binary mode). */
export const isBinaryEvent = (headers: Readonly<Record<string, unknown>>): boolean =>
  headers['ce-specversion'] !== undefined;

/** The event of a binary-mode request as structured mode would have it. */
export const eventOfHeaders = (headers: Readonly<Record<string, unknown>>, data: unknown): unknown => ({
  specversion: headers['ce-specversion'],
  id: decoded(headers['ce-id']),
  source: decoded(headers['ce-source']),
  type: decoded(headers['ce-type']),
  time: headers['ce-time'],
  data,
});

const withDefaults = (data: Record<string, unknown>, id: unknown, time: unknown, timeField?: string): unknown => {
  const lacksId = isAbsent(data.externalId);
  const lacksTime = timeField !== undefined && isAbsent(data[timeField]) && !isAbsent(time);
  if (!lacksId && !lacksTime) return data;
  return { ...data, ...(lacksId ? { externalId: id } : {}), ...(lacksTime ? { [timeField]: time } : {}) };
};

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const isShortText = (value: unknown): boolean => typeof value === 'string' && value.length >= 1 && value.length <= 500;

const isJsonType = (value: unknown): boolean =>
  typeof value === 'string' && /^application\/([\w.-]{1,100}\+)?json *(;|$)/i.test(value);

// Header values are percent-encoded where they are not plain ASCII.
const decoded = (value: unknown): unknown => {
  if (typeof value !== 'string' || !value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};
