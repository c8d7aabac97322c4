import { readSettings } from '#libs/kernel/settings.js';
import { openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import { rebuild } from '#libs/projections/rebuild/rebuild.js';
import { readByThread } from '../../../../apps/cli/src/log-thread.js';
import { openLog } from '../../../../apps/cli/src/open-data.js';
import { answer } from '../job.js';
import { perSecond } from '../load/batches.js';

export interface PostgresRebuild {
  dataDir: string;
  readModelUrl: string;
}

answer(async ({ dataDir, readModelUrl }: PostgresRebuild): Promise<number> => {
  const settings = readSettings({ HILO_DATA_DIR: dataDir, HILO_READ_MODEL_URL: readModelUrl });
  const log = await openLog(settings);
  const events = await log.head();
  const startedAt = performance.now();
  await rebuild({
    home: await openReadModelHome(settings),
    log,
    readAll: (all) => readByThread(settings, all),
  });
  const rate = perSecond(events, performance.now() - startedAt);
  await log.close();
  return rate;
});
