import { setTimeout as sleep } from 'node:timers/promises';

/** Generous: a busy machine is no failure. */
export const PATIENCE_MS = 120_000;

/** Rejects, naming what it waited for, when a promise takes longer than patience lasts. */
export const within = async <T>(promise: Promise<T>, what: string, patienceMs = PATIENCE_MS): Promise<T> => {
  const giveUp = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: giveUp.signal }).then(() => {
    throw new Error(`waited ${patienceMs} ms for ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    giveUp.abort();
    late.catch(() => undefined);
  }
};

/** Asks again until the answer passes; fails with the last failure when patience is over. */
export const eventually = async <T>(ask: () => Promise<T> | T, patienceMs = PATIENCE_MS): Promise<T> => {
  for (const end = Date.now() + patienceMs; ;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(25);
    }
  }
};
