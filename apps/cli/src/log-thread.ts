import { on, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ReadAllOptions, StoredEvent } from '#libs/event-store';
import { HubError } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import { unpackEvents } from '#libs/projections/projector/hand-over.js';
import type { FromLogThread, LogThreadData, ToLogThread } from './log-thread.protocol.js';

/** Batches that lie ready while one is folded. */
const AHEAD = 3;

/**
 * Has a thread read the log and open its events, which costs as much as folding them: whoever folds does that alone.
 * Contacts come with what projections read of them.
 * @throws HubError what the log throws
 */
export async function* readByThread(settings: HubSettings, options: ReadAllOptions): AsyncGenerator<StoredEvent[]> {
  const data: LogThreadData = { settings, options };
  const worker = new Worker(new URL('./log-thread.worker.js', import.meta.url), { workerData: data });
  // Its failure is told by its answers too.
  const exited = once(worker, 'exit').catch(() => undefined);
  const ask = (asked: ToLogThread): void => worker.postMessage(asked);
  try {
    const answers = on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[FromLogThread]>;
    for (let n = 0; n < AHEAD; n++) ask('next');
    for await (const [answer] of answers) {
      if ('end' in answer) return;
      if ('code' in answer) throw new HubError(answer.code, answer.message, { retryable: answer.retryable });
      ask('next');
      yield unpackEvents(answer.pack);
    }
    throw new HubError('EVENT_STORE.FAILED', 'the thread that reads the log has ended');
  } finally {
    ask('stop');
    await exited;
  }
}
