import { HubProcess, hiloWith, temporaryDirectory } from '../../../e2e/hub-process.js';
import type { Cluster } from '../../../engines/cluster/cluster.js';
import { metricAt } from '../../../engines/cluster/program-process.js';
import { perSecond } from '../load/batches.js';
import { Interactions } from '../load/interactions.js';
import type { Results } from '../results.js';
import { postAll, until, type LineSizes } from './line.js';

/**
 * The same contacts through one program: posted to a hub on the same Kafka and PostgreSQL, whose event store is its own, in
 * SQLite. From the first post to the last contact shown: taking them from HTTP is part of it, as they have to lie on Kafka
 * under the keys of this hub.
 */
export const measureHubLine = async (
  { kafka, postgres, env }: Pick<Cluster, 'kafka' | 'postgres' | 'env'>,
  { contacts, customers }: LineSizes,
  results: Results,
): Promise<string> => {
  const readModel = new URL(postgres.url);
  readModel.searchParams.set('schema', 'hub');
  const options = {
    dataDir: temporaryDirectory(),
    env: {
      NODE_OPTIONS: env['NODE_OPTIONS']!,
      HILO_BUS_URL: kafka.url,
      HILO_KAFKA_TOPIC_PREFIX: 'hub',
      HILO_KAFKA_REPLICATION: '1',
      HILO_KAFKA_MIN_INSYNC: '1',
      HILO_READ_MODEL_URL: readModel.href,
    },
  };
  const made = await hiloWith(options, 'topics', 'ensure');
  if (made.code !== 0) throw new Error(`hilo topics ensure ended with ${made.code}: ${made.stderr}`);
  const hub = await HubProcess.start(options);
  const startedAt = performance.now();
  await postAll(await hub.client('integration'), new Interactions(customers, 'hub'), contacts);
  const url = await hub.url();
  await until(async () => ((await metricAt(url, 'hilo_recorder_contacts_total')) ?? 0) >= contacts);
  await until(
    async () => (await metricAt(url, 'hilo_read_model_position')) === (await metricAt(url, 'hilo_log_head_position')),
  );
  const rate = perSecond(contacts, performance.now() - startedAt);
  results.add('lineHub', rate);
  const { code } = await hub.stop();
  if (code !== 0) throw new Error(`the hub ended with ${code}: ${hub.stderr}`);
  return `${Math.round(rate)}/s through one hub`;
};
