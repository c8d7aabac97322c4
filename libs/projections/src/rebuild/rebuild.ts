import { readAhead } from '#libs/kernel';
import type { EventLog } from '../projector/projector.js';
import { Projector } from '../projector/projector.js';
import type { BulkReadModel, ReadModelHome } from '../read-model/read-model-home.port.js';
import { SqliteReadModelHome } from '../read-model/sqlite/sqlite.read-model-home.js';

export interface RebuildOptions {
  /** Of the read model to replace. */
  home: ReadModelHome;
  log: EventLog;
  /** What reads the log from its beginning, where somebody else does that. @default `log` */
  readAll?: EventLog['readAll'];
  /** Hears the folded position and the head of the log. */
  report?: (position: number, head: number) => void;
  /** Stops after the running batch; a later call goes on from there. */
  signal?: AbortSignal;
}

/** Events folded at once: few, so that what they leave behind dies young. */
const BATCH = 200;

/**
 * Folds the log from position 0 into a new read model beside the old one and puts it in its place when it has caught up.
 * @returns the position it shows, or undefined when it was stopped before the end.
 */
export const rebuild = async ({
  home,
  log,
  readAll = (all) => log.readAll(all),
  report,
  signal,
}: RebuildOptions): Promise<number | undefined> => {
  let position = await using(await home.openNext(), async (next) => {
    const projector = new Projector(next, log, { bulk: true });
    const head = await log.head();
    for await (const events of readAhead(readAll({ after: await projector.checkpoint(), batchSize: BATCH }))) {
      await projector.apply(events);
      report?.(await projector.checkpoint(), head);
      if (signal?.aborted) return undefined;
    }
    await projector.deriveCustomers();
    await next.finishBulk();
    return projector.checkpoint();
  });
  if (position === undefined) return undefined;
  await home.replace(async () => {
    position = await using(await home.openNext({ caughtUp: true }), async (next) => {
      const projector = new Projector(next, log);
      await projector.catchUp();
      return projector.checkpoint();
    });
  });
  return position;
};

/** The same for an embedded read model, by its file. */
export const rebuildReadModel = ({
  file,
  ...options
}: Omit<RebuildOptions, 'home'> & { file: string }): Promise<number | undefined> =>
  rebuild({ home: new SqliteReadModelHome(file), ...options });

const using = async <T>(readModel: BulkReadModel, work: (readModel: BulkReadModel) => Promise<T>): Promise<T> => {
  try {
    return await work(readModel);
  } finally {
    await readModel.close();
  }
};
