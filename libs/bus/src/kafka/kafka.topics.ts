import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type IResourceConfigEntry } from 'kafkajs';
import { HubError } from '#libs/kernel';
import { fromClient } from './kafka.errors.js';
import { kafkaNames, type KafkaSettings } from './kafka.client.js';

export interface WantedTopic {
  topic: string;
  partitions: number;
  replication: number;
  config: Readonly<Record<string, string>>;
}

export interface TopicReport extends WantedTopic {
  state: 'created' | 'changed' | 'unchanged';
  /** What cannot be changed in place and differs; empty when all is as the settings say. */
  differences: string[];
}

/** The client has no word for where an entry of a topic's configuration comes from. */
const SET_ON_TOPIC = 1;

/** Milliseconds for a new topic to be known everywhere. */
const KNOWN_MS = 10_000;

/** All topics of an installation, as its settings want them. */
export const wantedTopics = (settings: KafkaSettings): WantedTopic[] => {
  const { interactions, deadLetters, inbound } = kafkaNames(settings);
  return [interactions, ...inbound.keys(), deadLetters].map((topic) => ({
    topic,
    partitions: settings.kafkaPartitions,
    replication: settings.kafkaReplication,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(retentionMsOf(settings)),
      // Retention deletes whole files: one a day at most keeps a message no longer than a day beyond its time.
      'segment.ms': String(Math.min(DAY_MS, retentionMsOf(settings))),
      'min.insync.replicas': String(settings.kafkaMinInsync),
      'unclean.leader.election.enable': 'false',
      // Retention goes by this time: that of a producer may be anything.
      'message.timestamp.type': 'LogAppendTime',
    },
  }));
};

const DAY_MS = 24 * 3_600_000;

export const retentionMsOf = ({ kafkaRetentionHours }: Pick<KafkaSettings, 'kafkaRetentionHours'>): number =>
  kafkaRetentionHours * 3_600_000;

/**
 * Makes topics that are missing, and gives those that are there the wanted configuration; other entries of theirs stay.
 * Partitions and copies of an existing topic are left as they are, since a change would send keys to other partitions.
 */
export const ensureTopics = async (admin: Admin, wanted: readonly WantedTopic[]): Promise<TopicReport[]> => {
  const existing = new Set(await admin.listTopics());
  const missing = wanted.filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0) {
    await admin.createTopics({
      // The client gives up where a broker has not heard of the topics yet.
      waitForLeaders: false,
      topics: missing.map(({ topic, partitions, replication, config }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      })),
    });
    await untilKnown(admin, missing);
  }
  const reports: TopicReport[] = [];
  for (const topic of wanted)
    reports.push(
      existing.has(topic.topic) ? await adjust(admin, topic) : { ...topic, state: 'created', differences: [] },
    );
  return reports;
};

/** Until each partition has a leader that answers. */
const untilKnown = async (admin: Admin, made: readonly WantedTopic[]): Promise<void> => {
  let failure: unknown = new Error('new topics are not known yet');
  for (const end = Date.now() + KNOWN_MS; Date.now() < end; await sleep(KNOWN_MS / 100)) {
    try {
      const known = new Set(await admin.listTopics());
      if (!made.every(({ topic }) => known.has(topic))) continue;
      for (const { topic } of made) await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw fromClient(failure);
};

/** @throws HubError `BUS.TOPICS_MISSING` naming them, and what makes them */
export const requireTopics = async (admin: Admin, wanted: readonly WantedTopic[]): Promise<void> => {
  const existing = new Set(await admin.listTopics());
  const missing = wanted.map(({ topic }) => topic).filter((topic) => !existing.has(topic));
  if (missing.length > 0)
    throw new HubError('BUS.TOPICS_MISSING', `Kafka has no topic ${missing.join(', ')}; run: hilo topics ensure`);
};

const adjust = async (admin: Admin, wanted: WantedTopic): Promise<TopicReport> => {
  const { topic, partitions, replication, config } = wanted;
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic };
  const described = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
  const entries = described.resources[0]?.configEntries ?? [];
  const now = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
  const wrong = Object.entries(config).filter(([name, value]) => now.get(name) !== value);
  if (wrong.length > 0) {
    // The request replaces all that is set on the topic: what others have set goes along.
    const set = new Map(
      entries
        .filter(({ configSource }) => Number(configSource) === SET_ON_TOPIC)
        .map(({ configName, configValue }) => [configName, configValue]),
    );
    for (const [name, value] of Object.entries(config)) set.set(name, value);
    const configEntries: IResourceConfigEntry[] = [...set].map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
  }
  const [metadata] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics;
  const found = metadata?.partitions ?? [];
  const copies = Math.min(...found.map(({ replicas }) => replicas.length));
  const differences = [
    ...(found.length === partitions
      ? []
      : [`it has ${found.length} partitions, HILO_KAFKA_PARTITIONS is ${partitions}`]),
    ...(copies === replication ? [] : [`it has ${copies} copies, HILO_KAFKA_REPLICATION is ${replication}`]),
  ];
  return { ...wanted, state: wrong.length > 0 ? 'changed' : 'unchanged', differences };
};
