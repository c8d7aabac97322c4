import { join } from 'node:path';
import type { Round } from '../round.js';
import type { RawRead, RawReadRates } from '../yardsticks/raw-read.job.js';
import type { Export } from './export.job.js';

/** A stored history written as NDJSON, next to its bare texts written to a file. */
export const measureExport = async ({ results, workspace, say }: Round, dataDir: string): Promise<void> => {
  const events = join(dataDir, 'events.db');
  const rawOut = workspace.fresh('raw.txt');
  const raw = await workspace.run<RawRead, RawReadRates>(new URL('../yardsticks/raw-read.job.js', import.meta.url), {
    events,
    out: rawOut,
  });
  workspace.remove(rawOut);
  const out = workspace.fresh('history.ndjson');
  const rate = await workspace.run<Export, number>(new URL('./export.job.js', import.meta.url), { events, out });
  workspace.remove(out);
  results.add('export', rate, raw.written);
  results.add('scan', raw.parsed);
  say(`export ${Math.round(rate)}/s, raw export ${Math.round(raw.written)}/s, scan ${Math.round(raw.parsed)}/s`);
};
