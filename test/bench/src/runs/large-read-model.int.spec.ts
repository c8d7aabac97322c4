import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStore } from '#libs/event-store/open-event-store.js';
import { READ_MODEL_FILE } from '#libs/projections/read-model/open-read-model.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { GetTimelineQuery } from '#libs/queries/timeline/get-timeline.handler.js';
import { TENANT } from '../hub.js';
import { writeLargeReadModel } from './large-read-model.js';
import { timelineHandler } from './timeline-handler.js';

const ENTRIES = 2000;

describe('the read model that pages are measured on', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hilo-bench-'));
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('is one that the hub reads: full pages, and a log that ends where it ends', async () => {
    const customers = await writeLargeReadModel({ dataDir, entries: ENTRIES, customers: 20 });
    expect(customers.length).toBeGreaterThan(0);

    const log = await openEventStore({ dataDir, eventStoreUrl: 'sqlite:' });
    expect(await log.events.head()).toBe(ENTRIES);

    const readModel = SqliteReadModel.open({ file: join(dataDir, READ_MODEL_FILE), readonly: true });
    const handler = timelineHandler(readModel, log.events);
    for (const { id } of customers) {
      const page = await handler.execute(new GetTimelineQuery({ tenant: TENANT, customer: id, limit: 50 }));
      expect(page.items).toHaveLength(50);
    }
    await readModel.close();
    await log.close();
  });
});
