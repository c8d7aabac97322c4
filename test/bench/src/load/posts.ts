import autocannon from 'autocannon';
import type { Contact } from './interactions.js';

export interface PostLoad {
  url: string;
  path: string;
  key: string;
  posts: number;
  connections: number;
  next: () => Contact;
}

export interface PostTimes {
  startedAt: number;
  answeredAt: number;
  /** Body of the answer that came last. */
  lastAnswer: string;
}

/** Posts one contact a request over some connections, each sending its next one when the last is answered. */
export const post = async ({ url, path, key, posts, connections, next }: PostLoad): Promise<PostTimes> => {
  let answered = 0;
  let answeredAt = 0;
  let lastAnswer = '';
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
          if (answered === posts) {
            answeredAt = performance.now();
            lastAnswer = body;
          }
        },
      },
    ],
  });
  if (result['2xx'] !== posts || answeredAt === 0)
    throw new Error(`of ${posts} posts to ${path}, ${result['2xx']} were taken: ${JSON.stringify(result)}`);
  return { startedAt, answeredAt, lastAnswer };
};
