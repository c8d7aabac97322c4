import { HttpException } from '@nestjs/common';
import { codeOf, HubError, isRetryable, LIMITS, messageOf, type HubErrorOptions } from '#libs/kernel';

/** What is wrong at one place of a body or query. */
export interface FieldError {
  /** JSON path of the place, for example `$[3].customer.identifiers[0].type`. */
  path: string;
  /** What is wrong with it; repeats no personal content. */
  message: string;
  /** What would be right. */
  allowed?: string;
}

/** An RFC 9457 answer. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  /** Names this one failure; the log knows it by the same name. */
  instance?: string;
  errors?: readonly FieldError[];
  [extension: string]: unknown;
}

export interface ProblemOptions extends HubErrorOptions {
  errors?: readonly FieldError[];
  /** Further members of the answer. */
  extensions?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
}

/** A `HubError` that has more to tell the caller than its message. */
export class ProblemError extends HubError {
  constructor(
    code: string,
    message: string,
    readonly problem: ProblemOptions,
  ) {
    super(code, message, problem);
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request cannot be understood',
  401: 'Who is calling is not known',
  403: 'Not allowed',
  404: 'Not found',
  408: 'The request took too long',
  409: 'The state has changed meanwhile',
  413: 'Too large',
  414: 'The address is too long',
  415: 'Content type not supported',
  410: 'It was here, and is gone for good',
  422: 'The content is not acceptable',
  429: 'Too many requests',
  500: 'Something went wrong here',
  503: 'Not available now',
};

/** Codes of the hub with a status of their own; the rest goes by its ending. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  'ACCESS.UNAUTHENTICATED': 401,
  'ACCESS.FORBIDDEN': 403,
  'ACCESS.RATE_LIMITED': 429,
  'BUS.FULL': 503,
  'EVENT_STORE.UNAVAILABLE': 503,
  'CHANNEL.UNVERIFIED': 401,
  'CHANNEL.UNREADABLE': 400,
  'INGEST.REJECTED': 422,
  'SETTINGS.INVALID': 500,
  'CUSTOMER.ERASED': 410,
  'INTERACTION.ERASED': 410,
  'PRIVACY.IDENTITY_ERASED': 410,
};

const STATUS_OF_ENDING: readonly [RegExp, number][] = [
  [/^QUERY\./, 400],
  [/\.NOT_FOUND$/, 404],
  [/\.(VERSION_CONFLICT|CONFLICT)$/, 409],
  [/\.NOT_ALLOWED$/, 403],
  [/\.TOO_(LARGE|MANY)$/, 413],
  [/\.UNSUPPORTED_TYPE$/, 415],
  [/\.(NOT_JSON|UNREADABLE)$/, 400],
  [/\.(INVALID|REFUSED)$/, 422],
  [/\.(UNAVAILABLE|FULL|CLOSED)$/, 503],
];

const statusOf = (error: unknown, code: string): number => {
  const own = STATUS_OF_CODE[code] ?? STATUS_OF_ENDING.find(([ending]) => ending.test(code))?.[1];
  return own ?? (isRetryable(error) ? 503 : 500);
};

const hubCode = /^[A-Z][A-Z0-9_]*\.[A-Z0-9_]+$/;

export interface Problem {
  details: ProblemDetails;
  headers: Record<string, string>;
}

/** The answer to any thrown value. Nothing of an unexpected error shows in it; `instance` leads to its line in the log. */
export const problemOf = (error: unknown, instance?: string): Problem => {
  const known = describe(error);
  const { status } = known;
  const code = status === 404 ? 'NOT_FOUND' : known.code;
  // A missing route, an unknown id and somebody else's id must look alike.
  const detail =
    status === 404
      ? 'there is nothing at this address'
      : status >= 500 && !(status === 503 && known.told)
        ? unavailable(status)
        : known.detail;
  const details: ProblemDetails = {
    type: `urn:hilo:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: TITLES[status] ?? (status < 500 ? 'The request is not acceptable' : TITLES[500]!),
    status,
    code: status >= 500 && status !== 503 ? 'INTERNAL' : code,
    detail,
    ...(instance === undefined ? {} : { instance }),
    ...(known.errors && status < 500 ? { errors: known.errors } : {}),
    ...(status === 404 ? {} : known.extensions),
  };
  if (details.code === 'INTERNAL') details.type = 'urn:hilo:problem:internal';
  const headers: Record<string, string> = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  if (status === 401 && code.startsWith('ACCESS.')) headers['www-authenticate'] = 'Bearer';
  if (status === 503 || status === 429) headers['retry-after'] = String(known.retryAfterSeconds ?? 1);
  return { details, headers };
};

interface Known extends Pick<ProblemOptions, 'errors' | 'extensions' | 'retryAfterSeconds'> {
  status: number;
  code: string;
  detail: string;
  /** Whether the detail was written for the caller. */
  told?: boolean;
}

const unavailable = (status: number) =>
  status === 503 ? 'the hub cannot take this now; try again' : 'the hub failed; quote the instance when you report it';

const describe = (error: unknown): Known => {
  const fastify = fastifyFailure(error) ?? (error instanceof HttpException ? fastifyFailure(error.cause) : undefined);
  if (fastify) return fastify;
  if (error instanceof HttpException) return describeHttp(error);
  const code = codeOf(error);
  if (code !== undefined && hubCode.test(code)) {
    const told = error instanceof ProblemError || hasProblem(error);
    const more = told ? error.problem : {};
    return { status: statusOf(error, code), code, detail: messageOf(error), told, ...pick(more) };
  }
  return { status: 500, code: 'INTERNAL', detail: '' };
};

const hasProblem = (error: unknown): error is { problem: ProblemOptions } =>
  typeof error === 'object' &&
  error !== null &&
  'problem' in error &&
  typeof error.problem === 'object' &&
  error.problem !== null;

const pick = ({ errors, extensions, retryAfterSeconds }: ProblemOptions) => ({ errors, extensions, retryAfterSeconds });

const HTTP_CODES: Readonly<Record<number, string>> = {
  400: 'REQUEST.INVALID',
  401: 'ACCESS.UNAUTHENTICATED',
  403: 'ACCESS.FORBIDDEN',
  413: 'REQUEST.TOO_LARGE',
  415: 'REQUEST.UNSUPPORTED_TYPE',
  503: 'REQUEST.UNAVAILABLE',
};

const httpCode = (status: number) => HTTP_CODES[status] ?? `HTTP.${status}`;

const describeHttp = (error: HttpException): Known => {
  const status = error.getStatus();
  const answer = error.getResponse();
  const message = typeof answer === 'object' && 'message' in answer ? answer.message : answer;
  // Nest's validation gives one sentence per wrong field.
  if (Array.isArray(message))
    return {
      status,
      code: httpCode(status),
      detail: `${message.length} ${message.length === 1 ? 'field is' : 'fields are'} wrong`,
      errors: message.map((text) => ({ path: '$', message: String(text) })),
    };
  return { status, code: httpCode(status), detail: typeof message === 'string' ? message : (TITLES[status] ?? '') };
};

const FASTIFY_FAILURES: Readonly<Record<string, [status: number, detail: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, `the body is larger than ${LIMITS.batchBytes / 1024 / 1024} MiB`],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'the Content-Type header names no content type'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'the body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'the body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'the body is not as long as Content-Length says'],
  FST_ERR_BAD_URL: [400, 'the address is not a valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'a part of the address is too long'],
};

const fastifyFailure = (error: unknown): Known | undefined => {
  const code = codeOf(error);
  if (code === undefined || !code.startsWith('FST_')) return undefined;
  const known = FASTIFY_FAILURES[code];
  if (known) return { status: known[0], code: httpCode(known[0]), detail: known[1] };
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (!(status >= 400 && status < 500)) return { status: 500, code: 'INTERNAL', detail: '' };
  return { status, code: httpCode(status), detail: TITLES[status] ?? 'the request is not acceptable' };
};
