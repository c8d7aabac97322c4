import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '#libs/kernel';
import { readSettings } from '#libs/kernel/settings.js';
import { openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import { rebuild } from '#libs/projections/rebuild/rebuild.js';
import { readByThread } from '../../../../apps/cli/src/log-thread.js';
import { openClusterLog } from '../../../../apps/shared/src/open-cluster.js';
import { Cluster } from '../../../engines/cluster/cluster.js';
import type { ProgramProcess } from '../../../engines/cluster/program-process.js';
import type { HubClient } from '../../../e2e/hub-client.js';
import { perSecond } from '../load/batches.js';
import { Interactions } from '../load/interactions.js';
import type { Results } from '../results.js';

export interface LineSizes {
  contacts: number;
  customers: number;
}

const BATCH = 500;
const AT_A_TIME = 4;
/** Each look takes a program some milliseconds. */
const LOOK_EVERY_MS = 500;
const RECORDERS = 2;
/** As `deploy/compose.yaml` runs recorders and projectors. */
const AS_DEPLOYED = '--max-semi-space-size=32';

/**
 * Contacts that lie on Kafka, through two recorders into the fake of EventStoreDB, and through one projector into PostgreSQL:
 * every program a process of its own on this machine, servers too. Then a rebuild of what they left.
 */
export const measureLine = async ({ contacts, customers }: LineSizes, results: Results): Promise<string> => {
  const cluster = await Cluster.start({ HILO_KAFKA_PARTITIONS: '12', NODE_OPTIONS: AS_DEPLOYED });
  try {
    await publish(cluster, contacts, customers);
    const projector = cluster.startProgram('projector');
    await until(async () => (await projector.metric('hilo_projector_leading')) === 1);
    const together = { HILO_EVENT_STORE_URL: `${cluster.eventStore.url}&appends=together` };
    const recorders = Array.from({ length: RECORDERS }, () => cluster.startProgram('recorder', together));
    await Promise.all(recorders.map((recorder) => recorder.url()));
    const recordedBy = () => total(recorders, 'hilo_recorder_contacts_total');
    await until(async () => (await recordedBy()) > 0);
    const cpuBefore = [await total(recorders, CPU), await total([projector], CPU)] as const;
    const before = await recordedBy();
    const eventsBefore = (await projector.metric(EVENTS)) ?? 0;
    const startedAt = performance.now();
    await until(async () => (await recordedBy()) >= contacts);
    const recorded = perSecond(contacts - before, performance.now() - startedAt);
    await until(async () => {
      const [shown, head] = [await projector.metric('hilo_read_model_position'), await projector.metric('hilo_log_head_position')]; // prettier-ignore
      return shown !== undefined && shown === head;
    });
    const line = perSecond(contacts - before, performance.now() - startedAt);
    const micros = (seconds: number): number => (seconds * 1e6) / (contacts - before);
    const seconds = (contacts - before) / line;
    results.add('line', line);
    results.add('lineEvents', ((await projector.metric(EVENTS))! - eventsBefore) / seconds);
    results.add('lineRecorded', recorded);
    results.add('lineRecorderCpu', micros((await total(recorders, CPU)) - cpuBefore[0]));
    results.add('lineProjectorCpu', micros((await total([projector], CPU)) - cpuBefore[1]));
    const exits = await Promise.all([...recorders, projector].map((program) => program.stop()));
    if (exits.some(({ code }) => code !== 0)) throw new Error('a program did not stop cleanly');
    const rebuilt = await rebuildRate(cluster);
    results.add('rebuildLine', rebuilt);
    return `recorded ${Math.round(recorded)}/s, shown ${Math.round(line)}/s, rebuilt ${Math.round(rebuilt)} events/s`;
  } finally {
    await cluster.stop();
  }
};

const CPU = 'process_cpu_seconds_total';
const EVENTS = 'hilo_projector_events_total';

const publish = async (cluster: Cluster, contacts: number, customers: number): Promise<void> => {
  const ingest = cluster.startProgram('ingest');
  await ingest.url();
  await postAll(await cluster.client('ingest', 'integration'), new Interactions(customers, 'line'), contacts);
  await ingest.stop();
};

/** Resolves when every contact is accepted. */
const postAll = async (sender: HubClient, source: Interactions, contacts: number): Promise<void> => {
  let left = contacts;
  const send = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(BATCH, left);
      left -= size;
      const answer = await sender.post('/v1/interactions', source.batch(size).body);
      if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${answer.text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, send));
};

const rebuildRate = async (cluster: Cluster): Promise<number> => {
  const settings = readSettings({ ...cluster.env });
  const log = await openClusterLog(settings, new SystemClock());
  try {
    let events = 0;
    for await (const batch of log.events.readAll({ after: 0, batchSize: 1000 })) events += batch.length;
    const startedAt = performance.now();
    await rebuild({
      home: await openReadModelHome(settings),
      log: log.events,
      readAll: (all) => readByThread(settings, all),
    });
    return perSecond(events, performance.now() - startedAt);
  } finally {
    await log.close();
  }
};

const total = async (programs: readonly ProgramProcess[], name: string): Promise<number> => {
  const values = await Promise.all(programs.map((program) => program.metric(name)));
  return values.reduce((sum: number, value) => sum + (value ?? 0), 0);
};

export const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(LOOK_EVERY_MS);
};
