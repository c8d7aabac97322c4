import { setTimeout as sleep } from 'node:timers/promises';
import { Hub } from '../hub.js';
import { Interactions } from '../load/interactions.js';
import { offer } from '../load/offered.js';
import { randomOf } from '../load/random.js';
import type { Round } from '../round.js';
import { percentile } from '../stats.js';
import type { LargeReadModel, PageCustomer } from './large-read-model.js';
import type { PageTimes, Pages } from './pages.job.js';
import type { PastPageTimes, PastPages } from './past-pages.job.js';

/** A hub's data directory with millions of entries, and customers whose page is full. */
export interface PageSource {
  dataDir: string;
  customers: readonly PageCustomer[];
}

const OFFERED_PER_SECOND = 1000;
const PAGES_PER_SECOND = 100;

export const preparePages = async ({ sizes, workspace }: Pick<Round, 'sizes' | 'workspace'>): Promise<PageSource> => {
  const dataDir = workspace.directory('large');
  const customers = await workspace.run<LargeReadModel, PageCustomer[]>(
    new URL('./large-read-model.job.js', import.meta.url),
    { dataDir, entries: sizes.entries, customers: sizes.entryCustomers },
  );
  return { dataDir, customers };
};

/** Pages of 50 in process next to the same rows by plain SQL, those of the past next to the present's, then over HTTP, at rest and under load. */
export const measurePages = async (round: Round, { dataDir, customers }: PageSource): Promise<void> => {
  const { results, sizes, workspace, say } = round;
  const { handler, raw } = await workspace.run<Pages, PageTimes>(new URL('./pages.job.js', import.meta.url), {
    dataDir,
    customers,
    pages: sizes.pages,
    seed: round.number,
  });
  results.add('page', percentile(handler, 99), percentile(raw, 99));
  results.add('pageMedian', percentile(handler, 50), percentile(raw, 50));
  say(`page p99 ${percentile(handler, 99).toFixed(2)} ms, raw ${percentile(raw, 99).toFixed(2)} ms`);

  const { present, past } = await workspace.run<PastPages, PastPageTimes>(
    new URL('./past-pages.job.js', import.meta.url),
    { dataDir: workspace.directory(`past${round.number}`), pages: sizes.pages, seed: round.number },
  );
  results.add('pagePast', percentile(past, 95), percentile(present, 95));
  say(`page of the past p95 ${percentile(past, 95).toFixed(2)} ms, present ${percentile(present, 95).toFixed(2)} ms`);

  const hub = await Hub.start(workspace, dataDir);
  const agent = hub.asAgent(16);
  const random = randomOf(100 + round.number);
  const page = async (): Promise<number> => {
    const { id } = customers[Math.floor(random() * customers.length)]!;
    const startedAt = performance.now();
    const { status, text } = await agent.get(`/v1/customers/${id}/timeline?limit=50`);
    if (status !== 200) throw new Error(`a page was answered ${status} ${text.slice(0, 300)}`);
    return performance.now() - startedAt;
  };
  for (let i = 0; i < sizes.pages / 5; i++) await page();
  const idle: number[] = [];
  for (let i = 0; i < sizes.pages; i++) idle.push(await page());
  results.add('pageHttp', percentile(idle, 99));

  const busy: number[] = [];
  const posting = { done: false };
  const posts = offer(hub, new Interactions(sizes.customers, `busy${round.number}`), {
    perSecond: OFFERED_PER_SECOND,
    seconds: sizes.offeredSeconds,
    followOneOf: 0,
  }).finally(() => (posting.done = true));
  // The first second lets the new code paths warm up.
  await sleep(1000);
  while (!posting.done) {
    busy.push(await page());
    await sleep(1000 / PAGES_PER_SECOND);
  }
  await posts;
  results.add('pageBusy', percentile(busy, 99));
  say(`page over HTTP p99 ${percentile(idle, 99).toFixed(2)} ms, during ingest ${percentile(busy, 99).toFixed(2)} ms`);
  agent.close();
  await hub.stop();
};
