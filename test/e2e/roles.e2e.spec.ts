import type { ProblemDetails } from '#libs/access/problem.js';
import type { Role } from './hub-process.js';
import { NOBODY, StaffedHub, expectProblem } from './staffed-hub.js';

jest.setTimeout(300_000);

describe('a hub and those who work with it', () => {
  const hub = new StaffedHub();

  describe('lets everybody do their own', () => {
    const posts = ['/v1/interactions', '/v1/profiles'];
    const reads = [
      '/v1/customers?identifier=email:tom@example.com',
      `/v1/customers/${NOBODY}`,
      `/v1/customers/${NOBODY}/timeline`,
      `/v1/interactions/${NOBODY}`,
      `/v1/conversations/${NOBODY}`,
    ];
    const stream = `/v1/customers/${NOBODY}/timeline/stream`;
    const receipt = `/v1/receipts/${NOBODY}`;
    const history = '/v1/history/events?limit=1';

    it.each<[Role, { posts: boolean; reads: boolean; stream: boolean; receipt: boolean; history: boolean }]>([
      ['integration', { posts: true, reads: false, stream: false, receipt: true, history: false }],
      ['agent', { posts: false, reads: true, stream: true, receipt: true, history: false }],
      ['supervisor', { posts: false, reads: true, stream: true, receipt: true, history: false }],
      ['analyst', { posts: false, reads: true, stream: false, receipt: true, history: true }],
      ['admin', { posts: true, reads: true, stream: true, receipt: true, history: true }],
    ])('as %s', async (role, may) => {
      const client = await hub.process.client(role);
      const isLetIn = async (answer: Promise<{ status: number; headers: Headers; body: ProblemDetails }>) => {
        const given = await answer;
        if (given.status === 403) expectProblem(given, 403, 'ACCESS.FORBIDDEN');
        return given.status !== 403;
      };
      for (const path of posts) expect([path, await isLetIn(client.post(path, {}))]).toEqual([path, may.posts]);
      for (const path of reads) expect([path, await isLetIn(client.get(path))]).toEqual([path, may.reads]);
      expect(await isLetIn(client.get(stream))).toBe(may.stream);
      expect(await isLetIn(client.get(receipt))).toBe(may.receipt);
      expect(await isLetIn(client.get(history))).toBe(may.history);
    });

    it.each(['', 'hilo_x', `hilo_abcdefgh_${'A'.repeat(43)}`])('not with the key %j', async (key) => {
      const client = await hub.process.client({ key: key === '' ? undefined : key });
      for (const path of [...reads, stream, receipt, history]) {
        const answer = await client.get(path);
        expectProblem(answer, 401, 'ACCESS.UNAUTHENTICATED');
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
      for (const path of posts) expectProblem(await client.post(path, {}), 401, 'ACCESS.UNAUTHENTICATED');
    });
  });
});
