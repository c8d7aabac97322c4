import { cpus } from 'node:os';
import { connectPostgres } from '#libs/kernel/postgres.js';
import { readModelSchema } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { KafkaBroker } from '../../../engines/kafka/broker.js';
import { metricAt } from '../../../engines/cluster/program-process.js';
import { startPostgres } from '../../../engines/postgres/postgres-server.js';
import { Hub } from '../hub.js';
import { perSecond } from '../load/batches.js';
import type { Results } from '../results.js';
import { beginRound } from '../round.js';
import type { Workspace } from '../workspace.js';
import type { HubLineLoad } from './hub-line.job.js';
import type { EngineSizes } from './kafka.js';
import { until, type LineSizes } from './line.js';

const RECORDED = 'hilo_recorder_contacts_total';
/** Of this log the number of its events. */
const HEAD = 'hilo_log_head_position';

/**
 * Contacts that lie on Kafka, through one hub, as `npm start` runs it, into its own event store in SQLite and into
 * PostgreSQL. They lie there sealed with the keys of this hub, which has not run until the clock starts.
 */
export const measureHubLine = async (
  { rounds, syncs, ...sizes }: LineSizes & Pick<EngineSizes, 'rounds' | 'syncs'>,
  results: Results,
  workspace: Workspace,
  say: (line: string) => void,
): Promise<void> => {
  for (let number = 1; number <= rounds; number++) {
    const finish = beginRound(results, workspace, syncs);
    const rates = await measureOnce(sizes, results, workspace);
    finish();
    say(`one hub on Kafka and PostgreSQL ${number} of ${rounds}: ${rates}`);
  }
};

const measureOnce = async (
  { contacts, customers }: LineSizes,
  results: Results,
  workspace: Workspace,
): Promise<string> => {
  const [kafka, postgres] = await Promise.all([KafkaBroker.startOwn(), startPostgres({ durable: true })]);
  try {
    const dataDir = workspace.directory('data');
    const env = {
      HILO_BUS_URL: kafka.url,
      HILO_KAFKA_REPLICATION: '1',
      HILO_KAFKA_MIN_INSYNC: '1',
      HILO_READ_MODEL_URL: postgres.url,
    };
    await workspace.run<HubLineLoad, number>(new URL('./hub-line.job.js', import.meta.url), {
      env: { ...env, HILO_DATA_DIR: dataDir },
      contacts,
      customers,
    });
    const hub = await Hub.start(workspace, dataDir, { env, profile: process.env['HILO_ENGINES_PROFILE'] });
    const measured = await measureHub(hub, contacts, results);
    await hub.stop();
    const shown = await entriesIn(postgres.url);
    if (shown !== contacts) throw new Error(`${shown} of ${contacts} contacts are shown`);
    return measured;
  } finally {
    await Promise.all([kafka.stop(), postgres.stop()]);
  }
};

const measureHub = async (hub: Hub, contacts: number, results: Results): Promise<string> => {
  const read = async (name: string): Promise<number> => (await metricAt(hub.url, name)) ?? 0;
  await until(async () => (await read(RECORDED)) > 0);
  const used = processorTime(hub);
  const before = await read(RECORDED);
  const headBefore = await read(HEAD);
  const startedAt = performance.now();
  const rateSoFar = (): number => perSecond(contacts - before, performance.now() - startedAt);
  await until(async () => (await read(RECORDED)) >= contacts);
  const recorded = rateSoFar();
  await until(async () => (await read('hilo_read_model_position')) === (await read(HEAD)));
  const shown = rateSoFar();
  const seconds = (contacts - before) / shown;
  const [all, main, others] = used().map((seconds) => (seconds * 1e6) / (contacts - before));
  const asNew = await read(`${RECORDED}\\{outcome="recorded"\\}`);
  if (asNew !== contacts) throw new Error(`${asNew} of ${contacts} contacts were recorded`);
  results.add('lineHub', shown);
  results.add('lineHubEvents', ((await read(HEAD)) - headBefore) / seconds);
  results.add('lineHubRecorded', recorded);
  results.add('lineHubCpu', all!);
  results.add('lineHubMainCpu', main!);
  results.add('lineHubOthersCpu', others!);
  return `recorded ${Math.round(recorded)}/s, shown ${Math.round(shown)}/s`;
};

const entriesIn = async (url: string): Promise<number> => {
  const session = await connectPostgres({ url, schema: readModelSchema(url), room: 'BENCH' });
  try {
    return Number((await session.query<{ count: string }>('SELECT count(*) FROM timeline')).rows[0]!.count);
  } finally {
    session.release();
  }
};

/** Seconds of processor time from now on: of the hub, of its main thread, of everybody else on this machine. */
const processorTime = (hub: Hub): (() => number[]) => {
  const sample = (): number[] => {
    const all = hub.cpuSeconds() ?? Number.NaN;
    return [all, hub.mainThreadCpuSeconds() ?? Number.NaN, busySeconds() - all];
  };
  const before = sample();
  return () => sample().map((seconds, index) => seconds - before[index]!);
};

const busySeconds = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000;
