import { HubError, messageOf } from '#libs/kernel';

/**
 * What to do after a failed call.
 * - `conflict`: the stream is at another revision; nothing was stored.
 * - `resend`: not stored, or nobody knows; the identical call settles it.
 * - `final`: refused, and refused again.
 */
export type FailureKind = 'conflict' | 'resend' | 'final';

// Errors of the client carry `type`; some failures reach us as raw gRPC errors, with a `code` alone.
const KIND_BY_TYPE: Record<string, FailureKind> = {
  'wrong-expected-version': 'conflict',
  'not-leader': 'resend',
  'deadline-exceeded': 'resend',
  timeout: 'resend',
  unavailable: 'resend',
  cancelled: 'resend',
  'stream-deleted': 'final',
  'access-denied': 'final',
  'maximum-append-size-exceeded': 'final',
  'invalid-argument': 'final',
  unsupported: 'final',
};

const INVALID_ARGUMENT = 3;
/** Besides it: permission denied, unimplemented, unauthenticated. */
const FINAL_CODES: ReadonlySet<string | number | undefined> = new Set([INVALID_ARGUMENT, 7, 12, 16]);

const fieldOf = (error: unknown, name: 'type' | 'code'): string | number | undefined => {
  const field = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof field === 'string' || typeof field === 'number' ? field : undefined;
};

export const failureKindOf = (error: unknown): FailureKind => {
  const byType = KIND_BY_TYPE[fieldOf(error, 'type') ?? ''];
  return byType ?? (FINAL_CODES.has(fieldOf(error, 'code')) ? 'final' : 'resend');
};

export const isType = (error: unknown, type: string): boolean => fieldOf(error, 'type') === type;

/** Whether a read or a subscription was asked to begin where no record begins. */
export const isInvalidPosition = (error: unknown): boolean =>
  fieldOf(error, 'code') === INVALID_ARGUMENT && messageOf(error).includes('invalid position');

/** Messages of the client can be empty. */
export const describeFailure = (error: unknown): string =>
  messageOf(error) || String(fieldOf(error, 'type') ?? fieldOf(error, 'code') ?? 'no reason given');

/** @param stored whether something may have been stored all the same */
export const unavailable = (what: string, attempts: number, cause: unknown, stored: 'unknown' | 'no'): HubError =>
  new HubError(
    'EVENT_STORE.UNAVAILABLE',
    `${what}: no answer after ${attempts} attempts (${describeFailure(cause)})` +
      (stored === 'unknown' ? '; it may be stored or not, the same call again settles it' : ''),
    { retryable: true, cause, facts: { attempts, stored } },
  );

/** A refusal that repeating does not change. */
export const refusedFor = (what: string, cause: unknown): HubError => {
  const code = isType(cause, 'maximum-append-size-exceeded')
    ? 'EVENT_STORE.TOO_LARGE'
    : isType(cause, 'access-denied')
      ? 'EVENT_STORE.ACCESS_DENIED'
      : 'EVENT_STORE.FAILED';
  return new HubError(code, `${what}: ${describeFailure(cause)}`, { cause });
};
