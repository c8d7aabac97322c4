import { join } from 'node:path';
import type { Round } from '../round.js';
import type { WideFold } from '../yardsticks/wide-fold.job.js';
import type { Rebuild, Rebuilt } from './rebuild.job.js';

/** The read model folded anew from a stored history, whole and a tenth of it, next to the fold into a wide table. */
export const measureRebuild = async ({ results, workspace, say }: Round, dataDir: string): Promise<void> => {
  const events = join(dataDir, 'events.db');
  const wide = workspace.fresh('wide.db');
  const wideFold = await workspace.run<WideFold, number>(new URL('../yardsticks/wide-fold.job.js', import.meta.url), {
    events,
    out: wide,
  });
  workspace.remove(wide);

  const rebuild = async (share: number): Promise<Rebuilt> => {
    const out = workspace.fresh('rebuilt.db');
    const rebuilt = await workspace.run<Rebuild, Rebuilt>(new URL('./rebuild.job.js', import.meta.url), {
      events,
      out,
      share,
    });
    workspace.remove(out);
    return rebuilt;
  };
  const tenth = await rebuild(0.1);
  const whole = await rebuild(1);
  results.add('rebuild', whole.rate, wideFold);
  if (whole.addedMb !== undefined && tenth.addedMb !== undefined) {
    results.add('memoryRebuild', whole.addedMb);
    results.add('memoryGrowth', whole.addedMb, tenth.addedMb);
  }
  say(`rebuild ${Math.round(whole.rate)}/s, wide-table fold ${Math.round(wideFold)}/s`);
};
