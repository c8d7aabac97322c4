import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { DeletedData } from '#libs/commands';
import { truncateLog } from '#libs/kernel/sqlite.js';
import type { DeletedRows } from '#libs/projections/read-model/read-model-home.port.js';
import { READ_MODEL_FILE } from '#libs/projections/read-model/open-read-model.js';

/** Somebody may be reading: so often it is tried, with so much time between. */
const TRIES = 40;
const BETWEEN_MS = 100;
const UNFINISHED = /\.next-\d+\.db(-wal|-shm|-journal)?$/;

/**
 * The SQLite files of a data directory, and databases beside it. The files overwrite what they delete; what remains is in
 * their write-ahead logs. Of the read model, whose rows are in clear, pages that were rearranged before may keep copies of
 * rows in what they leave free: it is written anew, in a thread of its own; the projector waits for that.
 */
export class DataFiles extends DeletedData {
  constructor(
    private readonly dataDir: string,
    private readonly databases: readonly DeletedRows[] = [],
  ) {
    super();
  }

  async scrub(): Promise<{ files: string[]; complete: boolean }> {
    // What a rebuild left behind that did not come to its end.
    for (const name of readdirSync(this.dataDir))
      if (UNFINISHED.test(name)) rmSync(join(this.dataDir, name), { force: true });
    const names = readdirSync(this.dataDir)
      .filter((name) => name.endsWith('.db'))
      .toSorted();
    const files: string[] = [];
    const rewritten = !names.includes(READ_MODEL_FILE) || (await isRewritten(join(this.dataDir, READ_MODEL_FILE)));
    for (const database of this.databases) if (await database.scrub()) files.push(database.name);
    for (const name of names) {
      for (let tries = 1; tries <= TRIES; tries++) {
        if (truncateLog(join(this.dataDir, name))) {
          files.push(name);
          break;
        }
        await sleep(BETWEEN_MS);
      }
    }
    return { files, complete: rewritten && files.length === names.length + this.databases.length };
  }
}

const isRewritten = async (file: string): Promise<boolean> => {
  const worker = new Worker(new URL('./vacuum.worker.js', import.meta.url), { workerData: file });
  try {
    const [code] = (await once(worker, 'exit')) as [number];
    return code === 0;
  } catch {
    return false; // somebody kept it from being written, or there is no space: it is tried again
  }
};
