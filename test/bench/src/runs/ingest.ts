import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Hub } from '../hub.js';
import { postBatches } from '../load/batches.js';
import { CONTACT_BYTES, Interactions } from '../load/interactions.js';
import type { Round } from '../round.js';
import type { RawAppend } from '../yardsticks/raw-append.job.js';

const BATCH = 100;
const CONNECTIONS = 8;

/** Sustained batches into an empty hub, next to the raw append. Answers with the data directory, at rest. */
export const measureIngest = async (round: Round): Promise<string> => {
  const { results, sizes, workspace, say } = round;
  const file = workspace.fresh('raw-append.db');
  const rawAppend = await workspace.run<RawAppend, number>(
    new URL('../yardsticks/raw-append.job.js', import.meta.url),
    {
      file,
      events: sizes.events,
      customers: sizes.customers,
    },
  );
  workspace.remove(file);
  say(`raw append ${Math.round(rawAppend)}/s`);

  const { dataDir, visible, answered, lagMs, peakMb, cpuMicros } = await ingestHistory(round);
  results.add('batches', visible, rawAppend);
  results.add('batchesAnswered', answered, rawAppend);
  results.add('batchesLag', lagMs);
  if (cpuMicros !== undefined) results.add('batchesCpu', cpuMicros);
  if (peakMb !== undefined) results.add('memoryIngest', peakMb);
  results.add('disk', bytesOf(dataDir) / sizes.events, CONTACT_BYTES);
  return dataDir;
};

/** A hub's data directory with all events of the round, made by posting them. */
export const ingestHistory = async ({ sizes, workspace, say, profile }: Round) => {
  const dataDir = workspace.directory('data');
  const hub = await Hub.start(workspace, dataDir, { profile });
  const cpuBefore = hub.cpuSeconds() ?? Number.NaN;
  const source = new Interactions(sizes.customers, 'batch');
  const step = Math.max(sizes.events / 4, 100_000);
  let next = step;
  const rates = await postBatches(hub, source, {
    contacts: sizes.events,
    batchSize: BATCH,
    connections: CONNECTIONS,
    report: (done) => {
      if (done < next) return;
      next += step;
      say(`${done} contacts answered`);
    },
  });
  say(`batches ${Math.round(rates.visible)}/s until visible, ${rates.refused} refusals`);
  const cpuAfter = hub.cpuSeconds();
  const cpuMicros = cpuAfter === undefined ? undefined : ((cpuAfter - cpuBefore) * 1e6) / sizes.events;
  const peakMb = hub.memory()?.peakMb;
  await hub.stop();
  return { dataDir, ...rates, peakMb, cpuMicros };
};

const bytesOf = (directory: string): number =>
  readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
