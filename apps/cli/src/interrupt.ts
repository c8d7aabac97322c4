import { EXIT } from './errors.js';

let controller: AbortController | undefined;

/**
 * Fires at the first Ctrl-C (or SIGTERM), so that long work stops where it can go on later. A second one ends the
 * program at once.
 */
export const interruptSignal = (): AbortSignal => {
  if (controller) return controller.signal;
  const fresh = new AbortController();
  controller = fresh;
  const stop = (): void => {
    if (fresh.signal.aborted) process.exit(EXIT.interrupted);
    fresh.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return fresh.signal;
};
