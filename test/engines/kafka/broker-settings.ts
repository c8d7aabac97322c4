import type { Certificates } from './certificates.js';

/** Who may log in at the listener `SASL`, by whatever mechanism. */
export const USER = { name: 'hub', password: 'correct-horse' } as const;

/** Ports of a broker's listeners; the plain one is always there. */
export interface Ports {
  plain: number;
  controller: number;
  /** A plain one at another address. */
  other?: { address: string; port: number };
  secure?: SecurePorts;
}

export interface SecurePorts {
  /** TLS, and a login by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
  sasl: number;
  /** TLS, and a certificate of the client. */
  mutual: number;
}

/** Arguments of Kafka's `storage format` that make the user, for the mechanisms that keep users in the log. */
export const SCRAM_USERS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
  '--add-scram',
  `${mechanism}=[name=${USER.name},password=${USER.password}]`,
]);

/**
 * What `server.properties` says.
 * @param data directory for what the broker keeps
 * @param listenAt address to listen on, where it is not the one that clients are told
 */
export const propertiesOf = (
  { plain, controller, other, secure }: Ports,
  { data, listenAt, certificates }: { data: string; listenAt?: string; certificates?: Certificates },
): string => {
  const listeners = [
    ['PLAINTEXT', '127.0.0.1', plain],
    ...(other ? [['OTHER', other.address, other.port]] : []),
    ...(secure ? [['SASL', '127.0.0.1', secure.sasl], ['MUTUAL', '127.0.0.1', secure.mutual]] : []),
  ] as const; // prettier-ignore
  const advertised = listeners.map(([name, address, port]) => `${name}://${address}:${port}`);
  const own = listeners.map(([name, address, port]) => `${name}://${listenAt ?? address}:${port}`);
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=${[...own, `CONTROLLER://127.0.0.1:${controller}`].join(',')}
advertised.listeners=${advertised.join(',')}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OTHER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL
log.dirs=${data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=2097152
${certificates ? securityOf(certificates) : ''}`;
};

const LOGIN = 'org.apache.kafka.common.security';

const securityOf = ({ broker, authority }: Certificates): string => `
ssl.keystore.type=PEM
ssl.keystore.location=${broker}
ssl.truststore.type=PEM
ssl.truststore.location=${authority}
listener.name.mutual.ssl.client.auth=required
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config=${LOGIN}.plain.PlainLoginModule required user_${USER.name}="${USER.password}";
listener.name.sasl.scram-sha-256.sasl.jaas.config=${LOGIN}.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=${LOGIN}.scram.ScramLoginModule required;
`;
