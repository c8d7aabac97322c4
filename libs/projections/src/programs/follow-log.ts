import { setTimeout as sleep } from 'node:timers/promises';
import type { EventStore } from '#libs/event-store';
import { isRetryable } from '#libs/kernel';
import { isStorageFailure } from '#libs/kernel/sqlite.js';
import type { LogReader } from '../projector/log-follower.js';

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5000;

export interface FollowOptions {
  /** Ends it after the running batch. */
  signal: AbortSignal;
  /** Hears of every failure that passes. */
  onRetry?: (error: unknown) => void;
}

/**
 * Leads a reader along the log by subscription, from its checkpoint on. What may pass is tried again from there, with
 * growing waits.
 * @throws what the reader throws and does not pass
 */
export const followLog = async (
  log: Pick<EventStore, 'subscribe'>,
  reader: LogReader,
  { signal, onRetry }: FollowOptions,
): Promise<void> => {
  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    try {
      const subscription = log.subscribe(await reader.checkpoint(), async (events) => {
        await reader.apply(events);
        waitMs = FIRST_WAIT_MS;
      });
      const stop = (): void => void subscription.stop();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      await subscription.done.finally(() => signal.removeEventListener('abort', stop));
    } catch (error) {
      if (!isRetryable(error) && !isStorageFailure(error)) throw error;
      onRetry?.(error);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
};
