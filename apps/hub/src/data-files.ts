import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeletedData } from '#libs/commands';
import { truncateLog } from '#libs/kernel/sqlite.js';
import type { DeletedRows } from '#libs/projections/read-model/read-model-home.port.js';

/** Somebody may be reading: so often it is tried, with so much time between. */
const TRIES = 40;
const BETWEEN_MS = 100;
const UNFINISHED = /\.next-\d+\.db(-wal|-shm|-journal)?$/;

/** The SQLite files of a data directory, and databases beside it. The files overwrite what they delete; what remains is in their write-ahead logs. */
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
    return { files, complete: files.length === names.length + this.databases.length };
  }
}
