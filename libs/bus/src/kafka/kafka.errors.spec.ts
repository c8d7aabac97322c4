import kafkajs from 'kafkajs';
import { inWords } from './kafka.errors.js';

const PLAIN = { kafkaTls: 'false' };
const connection = (message: string, code?: string): Error =>
  new kafkajs.KafkaJSConnectionError(message, { ...(code && { code }) });
/** Of classes that the types of the client lack. */
const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
/** As the client hands on its last failure. */
const afterRetries = (error: Error): Error =>
  new kafkajs.KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 4000 });
const closed = named('KafkaJSConnectionClosedError', 'Closed connection');

describe('what Kafka answers, in words', () => {
  it.each([
    [connection('unable to verify', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'HILO_KAFKA_CA_FILE'],
    [connection('self-signed', 'SELF_SIGNED_CERT_IN_CHAIN'), 'HILO_KAFKA_CA_FILE'],
    [connection('alert', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'HILO_KAFKA_CERT_FILE'],
    [named('KafkaJSSASLAuthenticationError', 'SASL PLAIN authentication failed'), 'HILO_KAFKA_PASSWORD'],
    [named('KafkaJSSASLAuthenticationError', 'SASL PLAIN mechanism is not supported by the server'), 'choose another HILO_KAFKA_SASL'],
  ])('names the setting to mend: %s', (error, setting) => {
    expect(inWords(error)).toContain(setting);
    expect(inWords(afterRetries(error))).toContain(setting);
  }); // prettier-ignore

  it('takes a closed connection for a wrong setting only where none has worked before', () => {
    expect(inWords(closed)).toBe('Closed connection');
    expect(inWords(afterRetries(closed), PLAIN)).toBe(
      'Closed connection; this port may want TLS (HILO_KAFKA_TLS=true), or a login (HILO_KAFKA_SASL)',
    );
    expect(inWords(closed, { kafkaTls: 'true' })).toBe(
      'Closed connection; this port may want a login (HILO_KAFKA_SASL)',
    );
    expect(inWords(closed, { kafkaTls: 'true', kafkaSasl: 'plain' })).toBe('Closed connection');
  });

  it('leaves out where in its sources OpenSSL was', () => {
    const said =
      'Connection error: 801C:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../x.c:1:42\n';
    expect(inWords(connection(said))).toBe('Connection error: sslv3 alert bad certificate');
  });
});
