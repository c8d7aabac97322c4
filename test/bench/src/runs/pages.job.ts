import { join } from 'node:path';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { SystemClock } from '#libs/kernel';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { READ_MODEL_FILE } from '#libs/projections/read-model/open-read-model.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { GetTimelineQuery } from '#libs/queries/timeline/get-timeline.handler.js';
import { TENANT } from '../hub.js';
import { answer } from '../job.js';
import { randomOf } from '../load/random.js';
import type { PageCustomer } from './large-read-model.js';
import { timelineHandler } from './timeline-handler.js';

export interface Pages {
  dataDir: string;
  customers: readonly PageCustomer[];
  pages: number;
  seed: number;
}

/** Milliseconds of every page. */
export interface PageTimes {
  handler: number[];
  raw: number[];
}

const PAGE = 50;

answer(async ({ dataDir, customers, pages, seed }: Pages): Promise<PageTimes> => {
  const file = join(dataDir, READ_MODEL_FILE);
  const readModel = SqliteReadModel.open({ file, readonly: true });
  const handler = timelineHandler(readModel, new MemoryEventStore(new SystemClock()));
  const db = openSqlite(file, { readonly: true, cacheKiB: 8192 });
  const rawPage = db.prepare(
    `SELECT e.* FROM timeline AS t JOIN entry AS e ON e.position = t.position
     WHERE t.customer = ? ORDER BY t.occurredAt DESC, t.position DESC LIMIT ${PAGE}`,
  );
  const random = randomOf(seed);
  const anyone = (): PageCustomer => customers[Math.floor(random() * customers.length)]!;
  const times: PageTimes = { handler: [], raw: [] };
  // The first tenth warms up both.
  for (let i = -pages / 10; i < pages; i++) {
    const rawStartedAt = performance.now();
    const rows = rawPage.all([anyone().key]);
    const rawMs = performance.now() - rawStartedAt;
    const startedAt = performance.now();
    const page = await handler.execute(new GetTimelineQuery({ tenant: TENANT, customer: anyone().id, limit: PAGE }));
    const ms = performance.now() - startedAt;
    if (rows.length !== PAGE || page.items.length !== PAGE) throw new Error('a page is not full');
    if (i < 0) continue;
    times.raw.push(rawMs);
    times.handler.push(ms);
  }
  db.close();
  await readModel.close();
  return times;
});
