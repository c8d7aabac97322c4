import { setTimeout as delay } from 'node:timers/promises';
import type { StreamingRead } from '@eventstore/db-client';
import { HubError } from '#libs/kernel';
import { backoffMs, type Backoff } from './backoff.js';
import { failureKindOf, isType, refusedFor, unavailable } from './failures.js';

export interface Patience {
  /** Longest silence of a call before it is given up, in milliseconds. */
  attemptTimeoutMs: number;
  /** How long a call is repeated in all, in milliseconds. */
  giveUpAfterMs: number;
  backoff: Backoff;
}

/**
 * Everything a read gives. Safe to repeat, so it is, until it succeeds or patience ends.
 * @throws HubError `EVENT_STORE.UNAVAILABLE`, `EVENT_STORE.ACCESS_DENIED`, `EVENT_STORE.FAILED`; what `passOn` knows as is
 */
export const readSettled = async <E>(
  what: string,
  open: () => StreamingRead<E>,
  patience: Patience,
  passOn: (error: unknown) => boolean = () => false,
): Promise<E[]> => {
  const end = Date.now() + patience.giveUpAfterMs;
  for (let attempts = 1; ; attempts++) {
    try {
      return await readOnce<E>(open(), patience.attemptTimeoutMs);
    } catch (error) {
      if (passOn(error) || error instanceof HubError) throw error;
      if (failureKindOf(error) === 'final' || isType(error, 'stream-not-found')) throw refusedFor(what, error);
      if (Date.now() >= end) throw unavailable(what, attempts, error, 'no');
      await delay(backoffMs(patience.backoff, attempts));
    }
  }
};

/** A read of the client has no deadline of its own. */
const readOnce = <E>(stream: StreamingRead<E>, silenceMs: number): Promise<E[]> =>
  new Promise((resolve, reject) => {
    const events: E[] = [];
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      // Whatever a stream that was given up still says, nobody listens to, and nobody must trip over.
      stream.cancel().catch(() => undefined);
      stream.destroy();
      reject(error);
    };
    const silent = (): void =>
      fail(Object.assign(new Error(`silent for ${silenceMs} ms`), { type: 'deadline-exceeded' }));
    const timer = setTimeout(silent, silenceMs);
    stream.on('data', (event: E) => {
      timer.refresh();
      events.push(event);
    });
    stream.on('error', fail);
    stream.once('end', () => {
      clearTimeout(timer);
      resolve(events);
    });
  });
