import { HubError, messageOf } from '#libs/kernel';
import { isStorageFailure } from '#libs/kernel/sqlite.js';
import type { ExpectedRevision, StreamRevision } from './event-store.port.js';

/** @param actual revision of the last event in the stream, -1 when there is none */
export const revisionConflict = (stream: string, expected: ExpectedRevision, actual: StreamRevision): HubError => {
  const found = actual < 0 ? 'no_stream' : actual;
  const wanted = expected === 'no_stream' ? 'no stream' : `revision ${expected}`;
  return new HubError(
    'EVENT_STORE.REVISION_CONFLICT',
    actual < 0
      ? `${stream} does not exist, expected ${wanted}`
      : `${stream} is at revision ${actual}, expected ${wanted}`,
    { facts: { stream, expected, actual: found } },
  );
};

export const storeClosed = (): HubError =>
  new HubError('EVENT_STORE.CLOSED', 'the event store is closed', { retryable: true });

/** What the callers of a failed group see: space and devices recover, anything else is a defect or a damaged file. */
export const groupFailure = (file: string, cause: unknown): HubError =>
  isStorageFailure(cause)
    ? new HubError(
        'EVENT_STORE.UNAVAILABLE',
        `${file} cannot be written (${messageOf(cause)}); nothing of this was stored`,
        { retryable: true, cause },
      )
    : new HubError('EVENT_STORE.FAILED', `${file}: ${messageOf(cause)}; nothing of this was stored`, { cause });
