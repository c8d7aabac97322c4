import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntilVisible, type Hub } from '../hub.js';
import { lastPosition, type HttpCaller } from './http.js';
import type { Interactions } from './interactions.js';

export interface BatchLoad {
  contacts: number;
  batchSize: number;
  connections: number;
  /** Hears now and then how many were answered. */
  report?: (done: number) => void;
}

export interface BatchRates {
  /** Contacts a second until every answer had come. */
  answered: number;
  /** Contacts a second until the last one could be read. */
  visible: number;
  /** Milliseconds from the last answer until then. */
  lagMs: number;
  /** Answers that said to come back later. */
  refused: number;
}

/** Posts batches over some connections, each sending its next one when the last is answered. */
export const postBatches = async (hub: Hub, source: Interactions, load: BatchLoad): Promise<BatchRates> => {
  const integration = hub.asIntegration(load.connections);
  const agent = hub.asAgent(1);
  let [sent, done, refused, position] = [0, 0, 0, 0];
  let identifier = '';
  const connection = async (): Promise<void> => {
    while (sent < load.contacts) {
      const size = Math.min(load.batchSize, load.contacts - sent);
      sent += size;
      const batch = source.batch(size);
      const { text, retries } = await postUntilTaken(integration, batch.body);
      refused += retries;
      const reached = lastPosition(text);
      if (reached > position) [position, identifier] = [reached, batch.identifier];
      done += size;
      load.report?.(done);
    }
  };
  try {
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: load.connections }, connection));
    const answeredAt = performance.now();
    await waitUntilVisible(agent, identifier, position);
    const visibleAt = performance.now();
    return {
      answered: perSecond(load.contacts, answeredAt - startedAt),
      visible: perSecond(load.contacts, visibleAt - startedAt),
      lagMs: visibleAt - answeredAt,
      refused,
    };
  } finally {
    integration.close();
    agent.close();
  }
};

const postUntilTaken = async (integration: HttpCaller, body: string): Promise<{ text: string; retries: number }> => {
  for (let retries = 0; ; retries++) {
    const { status, text } = await integration.post('/v1/interactions', body);
    if (status === 202) return { text, retries };
    if (status !== 503 && status !== 429) throw new Error(`a batch was answered ${status} ${text.slice(0, 300)}`);
    await sleep(50);
  }
};

export const perSecond = (count: number, ms: number): number => (count * 1000) / ms;
