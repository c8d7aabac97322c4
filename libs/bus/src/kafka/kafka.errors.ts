import { HubError, messageOf } from '#libs/kernel';
import type { KafkaSettings } from './kafka.client.js';

/** No broker took it, or none has said so: whether it was stored is unknown, and sending it again is harmless. */
export const busUnavailable = (problem: string, cause?: unknown): HubError =>
  new HubError('BUS.UNAVAILABLE', `Kafka does not answer: ${problem}`, { retryable: true, cause });

/**
 * What the client throws, in our words, with the setting to look at where that can be told.
 * @param settings of a first connection: before one has worked, a connection that is closed speaks of them
 */
export const fromClient = (cause: unknown, settings?: Login): HubError =>
  busUnavailable(inWords(cause, settings), cause);

/** As `fromClient`, as text. */
export const inWords = (error: unknown, settings?: Login): string => {
  const mend = whatToMend(firstCause(error), settings);
  // OpenSSL says where in its sources it was.
  const said = messageOf(error).replace(/\w+:error:\w+:SSL routines:[^:]*:([^:]+):[^]*/, '$1');
  return mend === undefined ? said : `${said}; ${mend}`;
};

type Login = Pick<KafkaSettings, 'kafkaTls' | 'kafkaSasl'>;

const NOT_TRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

const whatToMend = ({ name, type, code = '', message }: ClientError, settings?: Login): string | undefined => {
  if (type === 'UNSUPPORTED_SASL_MECHANISM' || (name === SASL_FAILED && message.includes('not supported')))
    return 'choose another HILO_KAFKA_SASL';
  if (name === SASL_FAILED) return 'mend HILO_KAFKA_USERNAME or HILO_KAFKA_PASSWORD';
  if (type === 'ILLEGAL_SASL_STATE')
    return 'this port may take no login: unset HILO_KAFKA_SASL, or name another port in HILO_BUS_URL';
  if (NOT_TRUSTED.has(code))
    return 'HILO_KAFKA_CA_FILE must hold the authority that signed the certificate of the broker';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'HILO_BUS_URL and the advertised.listeners of the brokers must name them as their certificates do';
  if (/^ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA)/.test(code))
    return 'HILO_KAFKA_CERT_FILE and HILO_KAFKA_KEY_FILE must hold a certificate that the brokers trust';
  if (message.includes('before secure TLS connection') || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'this port may not speak TLS: set HILO_KAFKA_TLS=false, or name another port in HILO_BUS_URL';
  return name === 'KafkaJSConnectionClosedError' && settings ? whyClosed(settings) : undefined;
};

const SASL_FAILED = 'KafkaJSSASLAuthenticationError';

/** A broker that cannot read what it is sent, or was sent no login, says nothing. */
const whyClosed = ({ kafkaTls, kafkaSasl }: Login): string | undefined => {
  const missing = [
    ...(kafkaTls === 'true' ? [] : ['TLS (HILO_KAFKA_TLS=true)']),
    ...(kafkaSasl === undefined ? ['a login (HILO_KAFKA_SASL)'] : []),
  ];
  return missing.length === 0 ? undefined : `this port may want ${missing.join(', or ')}`;
};

interface ClientError extends Error {
  type?: string;
  code?: string;
}

const firstCause = (error: unknown): ClientError => {
  if (!(error instanceof Error)) return new Error(messageOf(error));
  return error.cause instanceof Error ? firstCause(error.cause) : error;
};

export const busClosed = (): HubError => new HubError('BUS.CLOSED', 'the hub is shutting down', { retryable: true });

/** Whether an error is the client's own, which knows what to do about it (rejoin, reconnect). */
export const isClientError = (error: unknown): boolean => error instanceof Error && error.name.startsWith('KafkaJS');
