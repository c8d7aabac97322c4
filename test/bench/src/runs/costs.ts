import { Hub } from '../hub.js';
import { perSecond, postBatches } from '../load/batches.js';
import type { HttpCaller } from '../load/http.js';
import { postSingly } from '../load/posts.js';
import { Interactions, emailOf } from '../load/interactions.js';
import { randomOf, zipfOf } from '../load/random.js';
import type { Round } from '../round.js';
import { TENANT } from '../hub.js';
import type { Part } from '../yardsticks/hub-without.program.js';

const LOAD = { batchSize: 100, connections: 8 };
/** In turn for either hub, so that what disturbs one disturbs the other. */
const CONTACTS_A_TURN = 10_000;
const WARM_UP_TURNS = 2;
const POSTS_A_TURN = 2000;
const CONNECTIONS = 64;
const PAGES_A_TURN = 50;

/** What sealing takes of ingest, and what writing down who looked takes of reading: the hub next to itself without them. */
export const measureCosts = async (round: Round): Promise<void> => {
  await measureSealing(round);
  await measureLooks(round);
};

const measureSealing = async ({ results, sizes, workspace, say }: Round): Promise<void> => {
  const turns = Math.ceil(Math.min(sizes.events, 100_000) / CONTACTS_A_TURN);
  const open = async (without?: Part) => {
    const dataDir = workspace.directory(`sealing-${without ?? 'with'}`);
    const hub = await Hub.start(workspace, dataDir, { without });
    return { hub, dataDir, source: new Interactions(sizes.customers, 'seal') };
  };
  const hubs: Pair<Awaited<ReturnType<typeof open>>> = [await open(), await open('sealing')];
  const [sealed, unsealed] = await ratesInTurn(hubs, turns, async ({ hub, source }) => {
    const { visible } = await postBatches(hub, source, { ...LOAD, contacts: CONTACTS_A_TURN });
    return visible;
  });
  results.add('sealing', sealed, unsealed);
  say(`batches ${Math.round(sealed)}/s sealed, ${Math.round(unsealed)}/s in clear`);

  const postTurns = Math.ceil(sizes.posts / POSTS_A_TURN);
  const [sealedPosts, unsealedPosts] = await ratesInTurn(hubs, postTurns, ({ hub, source }) =>
    postSingly(hub, source, { posts: POSTS_A_TURN, connections: CONNECTIONS }),
  );
  results.add('sealingPosts', sealedPosts, unsealedPosts);
  say(`single posts ${Math.round(sealedPosts)}/s sealed, ${Math.round(unsealedPosts)}/s in clear`);
  for (const { hub, dataDir } of hubs) {
    await hub.stop();
    workspace.remove(dataDir);
  }
};

type Pair<T> = [T, T];

/** Contacts a second of either, over turns of equally many; the first ones warm both up. */
const ratesInTurn = async <T>(
  both: Pair<T>,
  turns: number,
  rateOf: (one: T) => Promise<number>,
): Promise<Pair<number>> => {
  const times = new Map<T, number>(both.map((one) => [one, 0]));
  for (let turn = -WARM_UP_TURNS; turn < turns; turn++)
    for (const one of turn % 2 === 0 ? both : both.toReversed()) {
      const rate = await rateOf(one);
      if (turn >= 0) times.set(one, times.get(one)! + 1 / rate);
    }
  const rate = (one: T): number => turns / times.get(one)!;
  return [rate(both[0]), rate(both[1])];
};

const measureLooks = async ({ number, results, sizes, workspace, say }: Round): Promise<void> => {
  const contacts = Math.min(sizes.events, 50_000);
  const customers = sizes.customers / 10;
  const open = async (without?: Part) => {
    const hub = await Hub.start(workspace, workspace.directory(`looks-${without ?? 'with'}-${number}`), { without });
    await postBatches(hub, new Interactions(customers, 'look'), { ...LOAD, contacts });
    return { hub, agent: hub.asAgent(1), ids: hub.ids(), ms: 0 };
  };
  const hubs = [await open(), await open('looks')];
  const customer = zipfOf(customers, randomOf(200 + number));
  const turns = Math.ceil((2 * sizes.pages) / PAGES_A_TURN);
  for (let turn = -turns / 4; turn < turns; turn++) {
    const emails = Array.from({ length: PAGES_A_TURN }, () => emailOf(customer()));
    for (const one of turn % 2 === 0 ? hubs : hubs.toReversed()) {
      const startedAt = performance.now();
      for (const email of emails) await page(one.agent, one.ids.identity(TENANT, 'email', email));
      // The first turns warm both up.
      if (turn >= 0) one.ms += performance.now() - startedAt;
    }
  }
  const [withLooks, without] = hubs.map(({ ms }) => perSecond(turns * PAGES_A_TURN, ms)) as [number, number];
  results.add('looks', withLooks, without);
  say(`pages ${Math.round(withLooks)}/s with looks written down, ${Math.round(without)}/s without`);
  for (const { hub, agent } of hubs) {
    agent.close();
    await hub.stop();
  }
};

const page = async (agent: HttpCaller, customer: string): Promise<void> => {
  const { status, text } = await agent.get(`/v1/customers/${customer}/timeline?limit=50`);
  if (status !== 200 && status !== 404) throw new Error(`a page was answered ${status} ${text.slice(0, 300)}`);
};
