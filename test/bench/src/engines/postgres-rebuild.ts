import { startPostgres } from '../../../engines/postgres/postgres-server.js';
import { Hub } from '../hub.js';
import { postBatches } from '../load/batches.js';
import { Interactions } from '../load/interactions.js';
import type { Results } from '../results.js';
import { beginRound } from '../round.js';
import type { Workspace } from '../workspace.js';
import type { EngineSizes } from './kafka.js';
import type { LineSizes } from './line.js';
import type { PostgresRebuild } from './postgres-rebuild.job.js';

const BATCH = 100;
const CONNECTIONS = 8;

/** A hub's history folded anew into PostgreSQL, as `hilo rebuild` does it: the program and the server, nobody else. */
export const measurePostgresRebuild = async (
  { contacts, customers, rounds, syncs }: EngineSizes & LineSizes,
  results: Results,
  workspace: Workspace,
  say: (line: string) => void,
): Promise<void> => {
  const dataDir = workspace.directory('data');
  const hub = await Hub.start(workspace, dataDir);
  const source = new Interactions(customers, 'batch');
  await postBatches(hub, source, { contacts, batchSize: BATCH, connections: CONNECTIONS });
  await hub.stop();
  const postgres = await startPostgres();
  try {
    for (let number = 1; number <= rounds; number++) {
      const finish = beginRound(results, workspace, syncs);
      const job = new URL('./postgres-rebuild.job.js', import.meta.url);
      const rate = await workspace.run<PostgresRebuild, number>(job, { dataDir, readModelUrl: postgres.url });
      finish();
      results.add('rebuildPostgres', rate);
      say(`rebuild into PostgreSQL ${number} of ${rounds}: ${Math.round(rate)} events/s`);
    }
  } finally {
    await postgres.stop();
  }
};
