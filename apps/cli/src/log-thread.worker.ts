import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, isRetryable, messageOf } from '#libs/kernel';
import { packEvents } from '#libs/projections/projector/hand-over.js';
import type { FromLogThread, LogThreadData, ToLogThread } from './log-thread.protocol.js';
import { openLog } from './open-data.js';

const port = parentPort!;
const { settings, options } = workerData as LogThreadData;

const opening = openLog(settings).then((log) => ({ log, batches: log.readAll(options) }));

const next = async (): Promise<FromLogThread> => {
  try {
    const { done, value } = await (await opening).batches.next();
    return done === true ? { end: true } : { pack: packEvents(value) };
  } catch (error) {
    return { code: codeOf(error) ?? 'EVENT_STORE.FAILED', message: messageOf(error), retryable: isRetryable(error) };
  }
};

const stop = async (): Promise<void> => {
  await (await opening.catch(() => undefined))?.log.close();
  port.close();
};

let tail = Promise.resolve();
port.on('message', (asked: ToLogThread) => {
  tail = tail.then(async () => (asked === 'next' ? port.postMessage(await next()) : stop()));
});
