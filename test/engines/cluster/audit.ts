import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '#libs/kernel';
import { readSettings } from '#libs/kernel/settings.js';
import { Projector } from '#libs/projections/projector/projector.js';
import { PostgresReadModel } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { tableDigests, type TableDigest } from '#libs/projections/rebuild/table-digests.js';
import { openClusterLog } from '../../../apps/shared/src/open-cluster.js';
import { eventually } from '../../e2e/waiting.js';
import type { Cluster } from './cluster.js';

/** For so long a program shows what it last read of the bus. */
const LAG_FRESH_MS = 1100;

/** Waits until everything is shown, and holds the log against what was taken: each contact is in it, once. */
export const expectRecordedOnce = async (cluster: Cluster, taken: Iterable<string>): Promise<void> => {
  await settled(cluster);
  const recorded = await recordedContacts(cluster);
  expect([...recorded.keys()].toSorted()).toEqual([...taken].toSorted());
  expect([...recorded.values()].filter((times) => times !== 1)).toEqual([]);
};

/** How often each contact lies in the cluster's event store, by its receipt. */
const recordedContacts = async (cluster: Cluster): Promise<ReadonlyMap<string, number>> => {
  const log = await openClusterLog(readSettings(cluster.env), new SystemClock());
  try {
    const recorded = new Map<string, number>();
    for await (const batch of log.events.readAll({ after: 0 }))
      for (const { type, stream } of batch) {
        const id = stream.slice(stream.indexOf('-') + 1);
        if (type === 'InteractionRecorded') recorded.set(id, (recorded.get(id) ?? 0) + 1);
      }
    return recorded;
  } finally {
    await log.close();
  }
};

/** Waits until nothing waits on the bus and the timelines show the whole log. */
export const settled = async (cluster: Cluster, patienceMs?: number): Promise<void> => {
  await sleep(LAG_FRESH_MS);
  await eventually(async () => {
    const recorder = cluster.of('recorder')[0]!;
    expect(await recorder.metric('hilo_bus_in_flight')).toBe(0);
    const api = cluster.of('timeline-api')[0]!;
    expect((await api.readiness()).body).toMatchObject({ behind: 0 });
  }, patienceMs);
};

export interface FoldedTwice<Rows> {
  live: Rows;
  anew: Rows;
}

/** Digests of the rows as they are, and as a fold of the whole log from its beginning makes them. */
export const foldedTwice = (cluster: Cluster): Promise<FoldedTwice<TableDigest[]>> => readTwice(cluster, tableDigests);

/** The same of what is read of them. */
export const readTwice = async <Rows>(
  cluster: Cluster,
  read: (readModel: PostgresReadModel) => Promise<Rows>,
): Promise<FoldedTwice<Rows>> => {
  const url = cluster.env['HILO_READ_MODEL_URL']!;
  const live = await PostgresReadModel.open({ url, readonly: true });
  const aside = new URL(url);
  aside.searchParams.set('schema', `anew_${Date.now()}`);
  const anew = await PostgresReadModel.open({ url: aside.href });
  const log = await openClusterLog(readSettings(cluster.env), new SystemClock());
  try {
    await new Projector(anew, log.events).catchUp();
    return { live: await read(live), anew: await read(anew) };
  } finally {
    await log.close();
    await live.close();
    await anew.close();
  }
};
