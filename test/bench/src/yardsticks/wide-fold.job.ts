import type { InteractionContent } from '#libs/domain';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { answer } from '../job.js';
import { perSecond } from '../load/batches.js';
import { pagesOfEvents } from './pages-of-events.js';

export interface WideFold {
  events: string;
  out: string;
}

const PAGE = 5000;

/** Events a second that are read, parsed and inserted as one wide row with its index. */
answer(({ events, out }: WideFold): number => {
  const log = openSqlite(events, { readonly: true });
  const db = openSqlite(out, { synchronous: 'off', cacheKiB: 32_768 });
  db.exec(`
    CREATE TABLE contact (
      position INTEGER PRIMARY KEY, customer INTEGER, occurred_at INTEGER, channel TEXT, account TEXT, external_id TEXT,
      kind TEXT, direction TEXT, conversation TEXT, thread TEXT, subject TEXT, preview TEXT, agent TEXT, outcome TEXT,
      revision INTEGER) STRICT;
    CREATE INDEX contact_of_customer ON contact (customer, occurred_at, position);`);
  const add = db.prepare(`INSERT INTO contact VALUES (${Array.from({ length: 15 }, () => '?').join(', ')})`);
  const customers = new Map<string, number>();
  const customerOf = (anchor: string): number => {
    const known = customers.get(anchor) ?? customers.size;
    customers.set(anchor, known);
    return known;
  };
  const startedAt = performance.now();
  let folded = 0;
  for (const rows of pagesOfEvents(log, PAGE))
    db.transaction(() => {
      for (const { position, data } of rows) {
        folded += 1;
        const c = JSON.parse(data) as Partial<InteractionContent>;
        if (c.anchor === undefined) continue; // a link between identities
        add.run([
          position, customerOf(c.anchor), Date.parse(c.occurredAt!), c.channel!, c.account!, c.externalId!, c.kind!,
          c.direction!, c.conversation!, c.threadId ?? null, c.subject ?? null, c.text?.slice(0, 120) ?? null,
          c.agent ?? null, c.outcome ?? null, c.revision!,
        ]); // prettier-ignore
      }
    });
  const rate = perSecond(folded, performance.now() - startedAt);
  log.close();
  db.close();
  return rate;
});
