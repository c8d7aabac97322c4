import autocannon from 'autocannon';
import { waitUntilVisible, type Hub } from '../hub.js';
import { perSecond } from './batches.js';
import { lastPosition } from './http.js';
import type { Contact, Interactions } from './interactions.js';

export interface PostLoad {
  url: string;
  path: string;
  key: string;
  posts: number;
  connections: number;
  next: () => Contact;
  /** Hears, at once, up to where the log goes when the last answer has come: the loader itself may end up to a second later. */
  onLast?: (position: number) => void;
}

export interface PostTimes {
  startedAt: number;
  answeredAt: number;
}

/** Posts one contact a request over some connections, each sending its next one when the last is answered. */
export const post = async ({ url, path, key, posts, connections, next, onLast }: PostLoad): Promise<PostTimes> => {
  let answered = 0;
  let position = 0;
  let answeredAt = 0;
  const startedAt = performance.now();
  const result = await autocannon({
    url,
    connections,
    amount: posts,
    timeout: 60,
    requests: [
      {
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        setupRequest: (request) => {
          request.body = next().body;
          return request;
        },
        onResponse: (_status, body) => {
          answered += 1;
          if (onLast) position = Math.max(position, lastPosition(body));
          if (answered === posts) {
            answeredAt = performance.now();
            onLast?.(position);
          }
        },
      },
    ],
  });
  if (result['2xx'] !== posts || answeredAt === 0)
    throw new Error(`of ${posts} posts to ${path}, ${result['2xx']} were taken: ${JSON.stringify(result)}`);
  return { startedAt, answeredAt };
};

/** Posts a second, of one contact each, until the one answered last can be read. */
export const postSingly = async (
  hub: Hub,
  source: Interactions,
  load: Pick<PostLoad, 'posts' | 'connections'>,
): Promise<number> => {
  let last: Contact | undefined;
  const agent = hub.asAgent(1);
  const readable = async (position: number): Promise<number> => {
    await waitUntilVisible(agent, last!.identifier, position);
    return performance.now();
  };
  let visibleAt: Promise<number> | undefined;
  const { startedAt } = await post({
    ...load,
    url: hub.url,
    path: '/v1/interactions',
    key: hub.integrationKey,
    next: () => (last = source.next()),
    onLast: (position) => {
      visibleAt = readable(position);
    },
  });
  const rate = perSecond(load.posts, (await visibleAt!) - startedAt);
  agent.close();
  return rate;
};
