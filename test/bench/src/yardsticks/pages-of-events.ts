import type { SqliteDatabase } from '#libs/kernel/sqlite.js';

export interface EventText {
  position: number;
  data: string;
}

/** The events of a log in order, page by page, as plain SQL reads them. */
export function* pagesOfEvents(db: SqliteDatabase, size: number): Generator<EventText[]> {
  const page = db.prepare('SELECT position, data FROM event WHERE position > ? ORDER BY position LIMIT ?');
  for (let after = 0; ;) {
    const rows = page.all<EventText>([after, size]);
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)!.position;
  }
}
