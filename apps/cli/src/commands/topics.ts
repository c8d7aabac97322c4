import { Command } from 'commander';
import { kafkaClient } from '#libs/bus/kafka/kafka.client.js';
import { inWords } from '#libs/bus/kafka/kafka.errors.js';
import { ensureTopics, wantedTopics, type TopicReport } from '#libs/bus/kafka/kafka.topics.js';
import { createLogger } from '#libs/kernel/logging.js';
import { failure } from '../errors.js';
import { table } from '../format/table.js';
import { settingsFrom, type GlobalOptions } from '../open-data.js';

interface EnsureOptions extends GlobalOptions {
  json?: true;
}

export const topicsCommand = (): Command => {
  const topics = new Command('topics').description('the topics of a bus on Kafka');
  topics
    .command('ensure')
    .description('make missing topics, and give those that are there the configuration of the settings')
    .option('--json', 'one line of JSON a topic')
    .addHelpText(
      'after',
      `
Reads HILO_BUS_URL (kafka://…), HILO_KAFKA_TOPIC_PREFIX, HILO_KAFKA_TENANTS, HILO_KAFKA_PARTITIONS,
HILO_KAFKA_REPLICATION, HILO_KAFKA_MIN_INSYNC and HILO_KAFKA_RETENTION_HOURS, and for TLS and login HILO_KAFKA_TLS,
HILO_KAFKA_CA_FILE, HILO_KAFKA_CERT_FILE, HILO_KAFKA_KEY_FILE, HILO_KAFKA_SASL, HILO_KAFKA_USERNAME and
HILO_KAFKA_PASSWORD. Nothing is ever deleted. Exit code 1 when a topic has other partitions or copies than the settings
say: those are left as they are.`,
    )
    .action((_options: unknown, command: Command) => ensure(command.optsWithGlobals<EnsureOptions>()));
  return topics;
};

const ensure = async (options: EnsureOptions): Promise<void> => {
  const settings = settingsFrom(options);
  const admin = kafkaClient(settings, createLogger('fatal', 'hilo topics')).admin({ retry: { retries: 3 } });
  let reports: TopicReport[];
  try {
    await admin.connect();
    reports = await ensureTopics(admin, wantedTopics(settings));
  } catch (error) {
    throw failure(`${settings.busUrl}: ${inWords(error, settings)}`);
  } finally {
    await admin.disconnect();
  }
  process.stdout.write(
    options.json ? reports.map((report) => `${JSON.stringify(report)}\n`).join('') : tableOf(reports),
  );
  const wrong = reports.flatMap(({ topic, differences }) => differences.map((difference) => `${topic}: ${difference}`));
  if (wrong.length > 0) throw failure(wrong.join('\n'));
};

const tableOf = (reports: readonly TopicReport[]): string =>
  table(
    [
      { title: 'topic' },
      { title: 'partitions', align: 'right' },
      { title: 'copies', align: 'right' },
      { title: 'needed', align: 'right' },
      { title: 'retention', align: 'right' },
      { title: '' },
    ],
    reports.map(({ topic, partitions, replication, config, state, differences }) => [
      topic,
      String(partitions),
      String(replication),
      config['min.insync.replicas'] ?? '',
      `${Number(config['retention.ms']) / 3_600_000} h`,
      differences.length > 0 ? 'DIFFERS' : state,
    ]),
  );
