import { dirname } from 'node:path';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import { rebuildReadModel } from '#libs/projections/rebuild/rebuild.js';
import { answer } from '../job.js';
import { perSecond } from '../load/batches.js';
import { forgetPeak, memoryOf } from '../memory.js';

export interface Rebuild {
  events: string;
  out: string;
  /** Share of the log that is folded, from its beginning. */
  share: number;
}

export interface Rebuilt {
  rate: number;
  /** Peak above what the process held before it began. */
  addedMb?: number;
}

answer(async ({ events, out, share }: Rebuild): Promise<Rebuilt> => {
  const reader = await openSealedEventLog({ dataDir: dirname(events), eventStoreUrl: 'sqlite:' });
  const head = Math.floor((await reader.head()) * share);
  forgetPeak();
  const before = memoryOf('self');
  const startedAt = performance.now();
  await rebuildReadModel({
    file: out,
    log: {
      read: (stream) => reader.read(stream),
      readAll: (options) => reader.readAll({ ...options, through: head }),
      head: () => Promise.resolve(head),
    },
  });
  const rate = perSecond(head, performance.now() - startedAt);
  const after = memoryOf('self');
  await reader.close();
  return before && after ? { rate, addedMb: after.peakMb - before.nowMb } : { rate };
});
