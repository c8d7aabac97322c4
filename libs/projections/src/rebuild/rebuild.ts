import { existsSync, renameSync, rmSync } from 'node:fs';
import type { EventLog } from '../projector/projector.js';
import { Projector } from '../projector/projector.js';
import { READ_MODEL_VERSION } from '../read-model/read-model.port.js';
import { SqliteReadModel } from '../read-model/sqlite/sqlite.read-model.js';

export interface RebuildOptions {
  /** The read model to replace. */
  file: string;
  log: EventLog;
  /** Hears the folded position and the head of the log. */
  report?: (position: number, head: number) => void;
  /** Stops after the running batch; a later call goes on from there. */
  signal?: AbortSignal;
}

/** Events folded at once: few, so that what they leave behind dies young. */
const BATCH = 200;

/**
 * Folds the log from position 0 into a new file beside the old one and puts it in its place when it has caught up.
 * @returns the position it shows, or undefined when it was stopped before the end.
 */
export const rebuildReadModel = async ({ file, log, report, signal }: RebuildOptions): Promise<number | undefined> => {
  const next = file.replace(/\.db$/, `.next-${READ_MODEL_VERSION}.db`);
  const readModel = SqliteReadModel.open({ file: next, bulk: true, cacheKiB: 16_384 });
  let position: number;
  try {
    const projector = new Projector(readModel, log, { bulk: true });
    const head = await log.head();
    for await (const events of log.readAll({ after: await projector.checkpoint(), batchSize: BATCH })) {
      await projector.apply(events);
      report?.(await projector.checkpoint(), head);
      if (signal?.aborted) return undefined;
    }
    readModel.finishBulk();
    readModel.checkpointFile();
    position = await projector.checkpoint();
  } finally {
    await readModel.close();
  }
  for (const end of ['-wal', '-shm']) {
    rmSync(file + end, { force: true });
    if (existsSync(next + end)) rmSync(next + end, { force: true });
  }
  renameSync(next, file);
  return position;
};
