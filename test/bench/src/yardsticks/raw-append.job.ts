import { randomBytes } from 'node:crypto';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { answer } from '../job.js';
import { perSecond } from '../load/batches.js';
import { randomOf, zipfOf } from '../load/random.js';

export interface RawAppend {
  file: string;
  events: number;
  customers: number;
}

const BATCH = 500;
const PAYLOAD = 'x'.repeat(700);

/** Events a second into a table with random ids and a thin timeline beside it, durable batch by batch. */
answer(({ file, events, customers }: RawAppend): number => {
  const db = openSqlite(file, { synchronous: 'full', cacheKiB: 65_536 });
  db.exec(`
    CREATE TABLE event (position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, data TEXT NOT NULL) STRICT;
    CREATE TABLE timeline (customer INTEGER, at INTEGER, position INTEGER, PRIMARY KEY (customer, at, position)) STRICT, WITHOUT ROWID;`);
  const addEvent = db.prepare('INSERT INTO event VALUES (?, ?, ?)');
  const addTimeline = db.prepare('INSERT INTO timeline VALUES (?, ?, ?)');
  const customer = zipfOf(customers, randomOf(1));
  const startedAt = performance.now();
  let position = 0;
  while (position < events)
    db.transaction(() => {
      for (const end = Math.min(events, position + BATCH); position < end;) {
        position += 1;
        addEvent.run([position, randomBytes(16), PAYLOAD]);
        addTimeline.run([customer(), 1_700_000_000_000 + position * 1000, position]);
      }
    });
  const rate = perSecond(events, performance.now() - startedAt);
  db.close();
  return rate;
});
