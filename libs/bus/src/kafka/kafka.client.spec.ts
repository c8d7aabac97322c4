import { silentLogger } from '#libs/kernel/logging.js';
import { readSettings } from '#libs/kernel/settings.js';
import { brokersOf, kafkaClient, kafkaNames } from './kafka.client.js';
import { wantedTopics } from './kafka.topics.js';

describe('the Kafka of the settings', () => {
  it('has the brokers of the URL', () => {
    expect(brokersOf('kafka://a:9092')).toEqual(['a:9092']);
    expect(brokersOf('kafka://a.example:9092,10.0.0.7:9093')).toEqual(['a.example:9092', '10.0.0.7:9093']);
  });

  it.each([
    'kafka:',
    'kafka://',
    'kafka://a',
    'kafka://a:9092/',
    'kafka://u:p@a:9092',
    'kafka://a:9092,',
    'kafka://a b:1',
    'kafka://[::1]:9092',
  ])('refuses %s', (url) => {
    expect(() => brokersOf(url)).toThrow('HILO_BUS_URL: is not of the form kafka://host:port');
  });

  it('names a file of certificates that cannot be read', () => {
    const settings = readSettings({
      HILO_BUS_URL: 'kafka://a:9092',
      HILO_KAFKA_TLS: 'true',
      HILO_KAFKA_CA_FILE: '/nowhere/ca.pem',
    });
    expect(() => kafkaClient(settings, silentLogger())).toThrow('HILO_KAFKA_CA_FILE: cannot be read');
  });

  it.each([
    [{ HILO_KAFKA_CA_FILE: 'package.json' }, 'HILO_KAFKA_CA_FILE: holds no certificate in PEM'],
    [
      { HILO_KAFKA_CERT_FILE: 'package.json', HILO_KAFKA_KEY_FILE: 'package.json' },
      'HILO_KAFKA_CERT_FILE, HILO_KAFKA_KEY_FILE: are no certificate and its key in PEM',
    ],
  ])('refuses files that hold something else: %j', (files, problem) => {
    const settings = readSettings({ HILO_BUS_URL: 'kafka://a:9092', HILO_KAFKA_TLS: 'true', ...files });
    expect(() => kafkaClient(settings, silentLogger())).toThrow(problem);
  });

  it('has a topic for each tenant whose producers may post events', () => {
    const settings = readSettings({ HILO_KAFKA_TOPIC_PREFIX: 'shop', HILO_KAFKA_TENANTS: 'acme,globex' });
    expect(kafkaNames(settings)).toEqual({
      interactions: 'shop.interactions',
      deadLetters: 'shop.dead-letters',
      inbound: new Map([
        ['shop.inbound.acme', 'acme'],
        ['shop.inbound.globex', 'globex'],
      ]),
      group: 'shop.recorder',
    });
    expect(wantedTopics(settings).map(({ topic }) => topic)).toEqual([
      'shop.interactions',
      'shop.inbound.acme',
      'shop.inbound.globex',
      'shop.dead-letters',
    ]);
  });

  it('has topics that keep copies, forget in time, and take their time from the broker', () => {
    const [topic] = wantedTopics(readSettings({ HILO_KAFKA_RETENTION_HOURS: '24' }));
    expect(topic).toMatchObject({
      partitions: 12,
      replication: 3,
      config: {
        'cleanup.policy': 'delete',
        'retention.ms': '86400000',
        'min.insync.replicas': '2',
        'unclean.leader.election.enable': 'false',
        'message.timestamp.type': 'LogAppendTime',
      },
    });
  });
});
