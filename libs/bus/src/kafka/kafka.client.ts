import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type SASLOptions, type logLevel } from 'kafkajs';
import { HubError, messageOf } from '#libs/kernel';
import type { Logger } from '#libs/kernel/logging.js';
import type { HubSettings } from '#libs/kernel/settings.js';

export type KafkaSettings = Pick<HubSettings, 'busUrl' | 'busCapacity' | Extract<keyof HubSettings, `kafka${string}`>>;

/** Topics and consumer group of one installation. */
export interface KafkaNames {
  /** What Hilo's own programs publish, sealed. */
  interactions: string;
  /** Copies of what could not be understood. */
  deadLetters: string;
  /** CloudEvents of other producers: the tenant of each topic. Whom the brokers let write there, writes for that tenant. */
  inbound: ReadonlyMap<string, string>;
  /** The recorders share the partitions. */
  group: string;
}

export const kafkaNames = ({ kafkaTopicPrefix: prefix, kafkaTenants }: KafkaSettings): KafkaNames => ({
  interactions: `${prefix}.interactions`,
  deadLetters: `${prefix}.dead-letters`,
  inbound: new Map((kafkaTenants?.split(',') ?? []).map((tenant) => [`${prefix}.inbound.${tenant}`, tenant])),
  group: `${prefix}.recorder`,
});

// The client splits at the first colon, so an IPv6 address needs a name.
const BROKER = String.raw`[A-Za-z0-9._-]+:\d{1,5}`;
const KAFKA_URL = new RegExp(`^kafka://${BROKER}(,${BROKER})*$`);

/**
 * The brokers that a URL names.
 * @throws HubError `SETTINGS.INVALID`
 */
export const brokersOf = (url: string): string[] => {
  if (KAFKA_URL.test(url)) return url.slice('kafka://'.length).split(',');
  throw new HubError(
    'SETTINGS.INVALID',
    'HILO_BUS_URL: is not of the form kafka://host:port,host:port; TLS and login are settings of their own (HILO_KAFKA_TLS, HILO_KAFKA_SASL)',
  );
};

const CONNECT_MS = 5000;
const REQUEST_MS = 10_000;

/**
 * A client of the brokers; it connects when it is first asked.
 * @throws HubError `SETTINGS.INVALID` for a broken URL, or a file that cannot be read or holds no certificate or key
 */
export const kafkaClient = (settings: KafkaSettings, logger: Logger): Kafka => {
  const config: KafkaConfig = {
    clientId: 'hilo',
    brokers: brokersOf(settings.busUrl),
    connectionTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => logTo(logger),
    ...(settings.kafkaTls === 'true' && { ssl: tlsOf(settings) }),
    ...(settings.kafkaSasl !== undefined && { sasl: saslOf(settings) }),
  };
  return new kafkajs.Kafka(config);
};

const tlsOf = ({ kafkaCaFile, kafkaCertFile, kafkaKeyFile }: KafkaSettings) => {
  const ca = kafkaCaFile === undefined ? undefined : pemOf('HILO_KAFKA_CA_FILE', kafkaCaFile);
  const own = {
    ...(kafkaCertFile !== undefined && { cert: pemOf('HILO_KAFKA_CERT_FILE', kafkaCertFile) }),
    ...(kafkaKeyFile !== undefined && { key: pemOf('HILO_KAFKA_KEY_FILE', kafkaKeyFile) }),
  };
  // A file without a certificate would count as one without any authority.
  if (ca !== undefined) checked('HILO_KAFKA_CA_FILE: holds no certificate in PEM', () => new X509Certificate(ca));
  const misfit = 'HILO_KAFKA_CERT_FILE, HILO_KAFKA_KEY_FILE: are no certificate and its key in PEM';
  checked(misfit, () => createSecureContext(own));
  return { ...(ca !== undefined && { ca: [ca] }), ...own };
};

const checked = (problem: string, check: () => unknown): void => {
  try {
    check();
  } catch (cause) {
    throw new HubError('SETTINGS.INVALID', `${problem} (${messageOf(cause)})`, { cause });
  }
};

const pemOf = (variable: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HubError('SETTINGS.INVALID', `${variable}: cannot be read (${messageOf(cause)})`, { cause });
  }
};

const saslOf = ({ kafkaSasl, kafkaUsername = '', kafkaPassword = '' }: KafkaSettings): SASLOptions => ({
  mechanism: kafkaSasl ?? 'plain',
  username: kafkaUsername,
  password: kafkaPassword,
});

// The client calls every lost connection an error, and makes it good itself.
const levels = { 1: 'warn', 2: 'info', 4: 'debug', 5: 'trace' } as const;

// Of what the client says, these fields and no other: bodies and credentials stay out.
const logTo =
  (logger: Logger) =>
  ({ level, namespace, log }: LogEntry): void => {
    const { message, broker, groupId, topic, partition, error } = log;
    const name = (levels as Partial<Record<logLevel, 'warn' | 'info' | 'debug' | 'trace'>>)[level] ?? 'debug';
    logger[name](
      { broker, groupId, topic, partition, ...(typeof error === 'string' && { error }) },
      `kafka ${namespace}: ${message}`,
    );
  };
