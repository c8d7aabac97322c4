import { run, versionOf } from '../processes.js';
import type { KafkaBroker } from './broker.js';

/** The kcat of this machine and its version; undefined where there is none. */
export const KCAT = (versionOf('kcat', '-V')?.match(/Version [\d.]+|librdkafka [\d.]+/g) ?? undefined)?.join(', ');

/** One message on a topic as kcat shows it. */
export interface Seen {
  key: string | null;
  payload: string;
  headers: Record<string, string>;
}

/** Posts one value, with headers. */
export const post = (
  broker: KafkaBroker,
  topic: string,
  value: string,
  { key = '', headers = {} }: { key?: string; headers?: Record<string, string> } = {},
): Promise<string> =>
  run(
    'kcat',
    [
      '-P',
      `-b${broker.address}`,
      `-t${topic}`,
      '-Xacks=all',
      // One value, whatever lines it has.
      '-D\u0001',
      ...(key === '' ? [] : ['-k', key]),
      ...Object.entries(headers).flatMap(([name, text]) => ['-H', `${name}=${text}`]),
    ],
    value,
  );

/** Everything on a topic. */
export const readAll = async (broker: KafkaBroker, topic: string): Promise<Seen[]> => {
  const out = await run('kcat', ['-b', broker.address, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J']);
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { key, payload, headers = [] } = JSON.parse(line) as Omit<Seen, 'headers'> & { headers?: string[] };
      const pairs = Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i], headers[2 * i + 1]]);
      return { key, payload, headers: Object.fromEntries(pairs) as Record<string, string> };
    });
};
