import { Hub, waitUntilVisible } from '../hub.js';
import { perSecond } from '../load/batches.js';
import { lastPosition } from '../load/http.js';
import { Interactions, type Contact } from '../load/interactions.js';
import { offer } from '../load/offered.js';
import { post } from '../load/posts.js';
import { Program } from '../program.js';
import type { Round } from '../round.js';
import { percentile } from '../stats.js';
import { syncsPerSecond } from '../yardsticks/sync.js';

const CONNECTIONS = 64;
const OFFERED_PER_SECOND = 1000;
const FOLLOW_ONE_OF = 5;

/** Contacts posted one by one: many at once, one after the other, and at a fixed rate until they can be read. */
export const measurePosts = async (round: Round): Promise<void> => {
  const { results, sizes, workspace, say } = round;
  const bare = await yardstick(round, new URL('../yardsticks/bare-fastify.program.js', import.meta.url));
  const nest = await yardstick(round, new URL('../yardsticks/nest-validation.program.js', import.meta.url));
  say(`bare Fastify ${Math.round(bare)}/s, Nest + ValidationPipe ${Math.round(nest)}/s`);

  const hub = await Hub.start(workspace, workspace.directory('posts'), { profile: round.profile });
  const source = new Interactions(sizes.customers, 'post');
  await postToHub(hub, source, warmUpOf(sizes.posts), CONNECTIONS);
  const rate = await postToHub(hub, source, sizes.posts, CONNECTIONS);
  results.add('posts', rate, bare);
  results.add('postsPeer', rate);
  results.add('postsNest', rate, nest);
  say(`single posts ${Math.round(rate)}/s`);

  const file = workspace.fresh('sync');
  const syncs = syncsPerSecond(file, sizes.syncs);
  workspace.remove(file);
  const inTurn = await postToHub(hub, source, sizes.postsInTurn, 1);
  results.add('inTurn', inTurn, syncs);
  say(`one at a time ${Math.round(inTurn)}/s, fdatasync ${Math.round(syncs)}/s`);

  const times = await offer(hub, source, {
    perSecond: OFFERED_PER_SECOND,
    seconds: sizes.offeredSeconds,
    followOneOf: FOLLOW_ONE_OF,
  });
  results.add('visible', percentile(times, 99));
  results.add('visibleMedian', percentile(times, 50));
  say(`visible after p50 ${percentile(times, 50).toFixed(1)} ms, p99 ${percentile(times, 99).toFixed(1)} ms`);
  await hub.stop();
};

/** Posts a second that a program answers which keeps nothing. */
const yardstick = async ({ sizes, workspace }: Round, file: URL): Promise<number> => {
  const program = await Program.start(workspace, { file, readyPath: '/' });
  const source = new Interactions(sizes.customers, 'yardstick');
  const load = { url: program.url, path: '/', key: 'none', connections: CONNECTIONS, next: () => source.next() };
  await post({ ...load, posts: warmUpOf(sizes.posts) });
  const { startedAt, answeredAt } = await post({ ...load, posts: sizes.posts });
  await program.stop();
  return perSecond(sizes.posts, answeredAt - startedAt);
};

/** Posts a second until the one answered last can be read. */
const postToHub = async (hub: Hub, source: Interactions, posts: number, connections: number): Promise<number> => {
  let last: Contact | undefined;
  const { startedAt, lastAnswer } = await post({
    url: hub.url,
    path: '/v1/interactions',
    key: hub.integrationKey,
    posts,
    connections,
    next: () => (last = source.next()),
  });
  const agent = hub.asAgent(1);
  await waitUntilVisible(agent, last!.identifier, lastPosition(lastAnswer));
  agent.close();
  return perSecond(posts, performance.now() - startedAt);
};

const warmUpOf = (posts: number): number => Math.min(4000, posts / 2);
