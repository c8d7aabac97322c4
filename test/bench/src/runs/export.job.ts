import { exportToFile } from '#libs/history';
import { dirname } from 'node:path';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import { answer } from '../job.js';
import { perSecond } from '../load/batches.js';

export interface Export {
  events: string;
  out: string;
}

/** Events a second that `hilo history --out` writes. */
answer(async ({ events, out }: Export): Promise<number> => {
  const reader = await openSealedEventLog({ dataDir: dirname(events), eventStoreUrl: 'sqlite:' });
  const startedAt = performance.now();
  const report = await exportToFile(reader, out);
  const rate = perSecond(report.events, performance.now() - startedAt);
  await reader.close();
  return rate;
});
