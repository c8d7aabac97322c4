import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../processes.js';

/** PEM files, good for two days. */
export interface Certificates {
  /** The authority that has signed the two below. */
  authority: string;
  /** An authority that has signed neither. */
  stranger: string;
  /** Key and certificate of `127.0.0.1` in one file, as Kafka reads them. */
  broker: string;
  client: { certificate: string; key: string };
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** Made by `openssl`, in a directory. */
export const makeCertificates = async (directory: string): Promise<Certificates> => {
  const file = (name: string): string => join(directory, name);
  const make = (name: string, ...more: string[]): Promise<string> =>
    run('openssl', [
      'req', '-x509', ...KEY, '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), ...more,
    ]); // prettier-ignore
  const signed = [
    '-CA',
    file('authority.pem'),
    '-CAkey',
    file('authority.key'),
    '-addext',
    'basicConstraints=CA:FALSE',
  ];
  await make('authority');
  await make('stranger');
  await make('broker', ...signed, '-addext', 'subjectAltName=IP:127.0.0.1');
  await make('client', ...signed);
  const both = file('broker-with-key.pem');
  writeFileSync(both, ['broker.key', 'broker.pem'].map((name) => readFileSync(file(name), 'utf8')).join(''));
  return {
    authority: file('authority.pem'),
    stranger: file('stranger.pem'),
    broker: both,
    client: { certificate: file('client.pem'), key: file('client.key') },
  };
};
