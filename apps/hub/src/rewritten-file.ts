import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { DeletedRows } from '#libs/projections/read-model/read-model-home.port.js';

/**
 * A SQLite file whose rows are in clear. Pages that were rearranged may keep copies of rows in what they leave free,
 * where overwriting what is deleted does not reach: so the file is written anew, in a thread of its own. Who writes it
 * waits for that.
 */
export const rewrittenFile = (name: string, file: string): DeletedRows => ({
  name,
  scrub: async () => {
    const worker = new Worker(new URL('./vacuum.worker.js', import.meta.url), { workerData: file });
    try {
      const [code] = (await once(worker, 'exit')) as [number];
      return code === 0;
    } catch {
      return false; // somebody kept it from being written, or there is no space: it is tried again
    }
  },
});
