import { status, type ServiceError } from '@grpc/grpc-js';
import { serviceError } from './messages.js';

/** What goes wrong with one append. */
export type AppendFault =
  /** It is written and nobody says so. */
  | 'lost reply'
  /** It is not written, and nobody says so. */
  | 'lost request'
  /** It is written, and the answer is that this took too long. */
  | 'timeout after writing'
  /** Not written: the server has no time. */
  | 'busy'
  | 'cancelled'
  | 'unknown'
  | 'access denied'
  /** Written, and answered without its position in the log. */
  | 'no position'
  /** Written, and answered late. */
  | { slowMs: number };

/** What goes wrong with one read (not a subscription). */
export type ReadFault = 'busy' | 'silent' | 'cut in the middle';

/** Faults to come: each call takes the next one from its list, or what `chooseAppend` says when the list is empty. */
export class Faults {
  readonly appends: AppendFault[] = [];
  readonly reads: ReadFault[] = [];
  chooseAppend: () => AppendFault | undefined = () => undefined;

  nextAppend(): AppendFault | undefined {
    return this.appends.shift() ?? this.chooseAppend();
  }

  nextRead(): ReadFault | undefined {
    return this.reads.shift();
  }
}

export const busy = (): ServiceError => serviceError(status.UNAVAILABLE, 'Server Is Busy');
export const timedOut = (): ServiceError => serviceError(status.ABORTED, 'Operation timed out');
export const cancelled = (): ServiceError => serviceError(status.CANCELLED, 'the server is shutting down');
export const unknown = (): ServiceError => serviceError(status.UNKNOWN, 'Unexpected error');
export const accessDenied = (): ServiceError =>
  serviceError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
export const streamDeleted = (stream: string): ServiceError =>
  serviceError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });
export const appendTooLarge = (limit: number): ServiceError =>
  serviceError(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(limit),
  });
export const notLeader = (host: string, port: number): ServiceError =>
  serviceError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  });
export const invalidPosition = (): ServiceError =>
  serviceError(status.INVALID_ARGUMENT, 'Trying to read from an invalid position.');
