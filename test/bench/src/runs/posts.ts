import { Hub } from '../hub.js';
import { perSecond } from '../load/batches.js';
import { Interactions } from '../load/interactions.js';
import { offer } from '../load/offered.js';
import { post, postSingly } from '../load/posts.js';
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
  await postSingly(hub, source, { posts: warmUpOf(sizes.posts), connections: CONNECTIONS });
  const rate = await postSingly(hub, source, { posts: sizes.posts, connections: CONNECTIONS });
  results.add('posts', rate, bare);
  results.add('postsPeer', rate);
  results.add('postsNest', rate, nest);
  say(`single posts ${Math.round(rate)}/s`);

  const file = workspace.fresh('sync');
  const syncs = syncsPerSecond(file, sizes.syncs);
  workspace.remove(file);
  const inTurn = await postSingly(hub, source, { posts: sizes.postsInTurn, connections: 1 });
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

const warmUpOf = (posts: number): number => Math.min(4000, posts / 2);
