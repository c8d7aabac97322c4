import { randomUUID } from 'node:crypto';
import { KafkaBroker } from '../../../engines/kafka/broker.js';
import type { Results } from '../results.js';
import type { Workspace } from '../workspace.js';
import type { KafkaLoad, KafkaRates } from './kafka.job.js';

export interface EngineSizes {
  messages: number;
  customers: number;
  rounds: number;
  syncs: number;
}

/** Publishing and consuming over one broker of this machine, next to what its client alone does with the same bytes. */
export const measureKafka = async (
  broker: KafkaBroker,
  { messages, customers }: EngineSizes,
  results: Results,
  workspace: Workspace,
): Promise<string> => {
  const rates = (ours: boolean): Promise<KafkaRates> =>
    workspace.run<KafkaLoad, KafkaRates>(new URL('./kafka.job.js', import.meta.url), {
      url: broker.url,
      prefix: `bench-${randomUUID()}`,
      messages,
      customers,
      ours,
    });
  const plain = await rates(false);
  const ours = await rates(true);
  results.add('kafkaPublish', ours.publish, plain.publish);
  results.add('kafkaConsume', ours.consume, plain.consume);
  const text = ({ publish, consume }: KafkaRates): string => `${Math.round(publish)}/s and ${Math.round(consume)}/s`;
  return `publish and consume ${text(ours)}, kafkajs alone ${text(plain)}`;
};
