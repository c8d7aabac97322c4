import { setTimeout as sleep } from 'node:timers/promises';
import { TENANT, type Hub } from '../hub.js';
import { lastPosition } from './http.js';
import type { Interactions } from './interactions.js';

export interface OfferedLoad {
  perSecond: number;
  seconds: number;
  /** One post of so many is followed until its timeline shows it; 0 follows none. */
  followOneOf: number;
}

const CONNECTIONS = 64;

/**
 * Posts one contact a request at a fixed rate, whether or not earlier ones are answered. Answers with the milliseconds
 * from when a followed post was due until the timeline of its customer was answered with it.
 */
export const offer = async (hub: Hub, source: Interactions, load: OfferedLoad): Promise<number[]> => {
  const integration = hub.asIntegration(CONNECTIONS);
  const agent = hub.asAgent(CONNECTIONS);
  const ids = hub.ids();
  const visibleMs: number[] = [];
  const one = async (dueAt: number, followed: boolean): Promise<void> => {
    const { body, identifier } = source.next();
    const { status, text } = await integration.post('/v1/interactions', body);
    if (status !== 202) throw new Error(`a post was answered ${status} ${text.slice(0, 300)}`);
    if (!followed) return;
    const customer = ids.identity(TENANT, 'email', identifier.slice('email:'.length));
    const page = await agent.get(`/v1/customers/${customer}/timeline?limit=1&atLeast=${lastPosition(text)}`);
    if (page.status !== 200) throw new Error(`a timeline was answered ${page.status} ${page.text.slice(0, 300)}`);
    visibleMs.push(performance.now() - dueAt);
  };
  const running = new Set<Promise<void>>();
  let failure: Error | undefined;
  const startedAt = performance.now();
  const total = load.perSecond * load.seconds;
  try {
    for (let sent = 0; sent < total && failure === undefined;) {
      const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * load.perSecond) / 1000));
      for (; sent < due; sent++) {
        const followed = load.followOneOf > 0 && sent % load.followOneOf === 0;
        const post = one(startedAt + (sent * 1000) / load.perSecond, followed)
          .catch((error: Error) => void (failure ??= error))
          .finally(() => running.delete(post));
        running.add(post);
      }
      await sleep(1);
    }
    await Promise.all(running);
    if (failure !== undefined) throw failure;
    return visibleMs;
  } finally {
    integration.close();
    agent.close();
  }
};
