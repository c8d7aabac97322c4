import { closeSync, openSync, writeSync } from 'node:fs';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { answer } from '../job.js';
import { perSecond } from '../load/batches.js';
import { pagesOfEvents } from './pages-of-events.js';

export interface RawRead {
  events: string;
  /** Where the text of the events goes. */
  out: string;
}

export interface RawReadRates {
  /** Events a second that are read and parsed. */
  parsed: number;
  /** Events a second whose text is read and written to a file. */
  written: number;
}

const PAGE = 500;

answer(({ events, out }: RawRead): RawReadRates => {
  const db = openSqlite(events, { readonly: true, cacheKiB: 65_536 });
  let parsed = 0;
  const parseStartedAt = performance.now();
  for (const rows of pagesOfEvents(db, PAGE))
    for (const { data } of rows) if (typeof JSON.parse(data) === 'object') parsed += 1;
  const parseMs = performance.now() - parseStartedAt;

  let written = 0;
  const file = openSync(out, 'w');
  const writeStartedAt = performance.now();
  for (const rows of pagesOfEvents(db, PAGE)) {
    let text = '';
    for (const { data } of rows) text += `${data}\n`;
    writeSync(file, text);
    written += rows.length;
  }
  const writeMs = performance.now() - writeStartedAt;
  closeSync(file);
  db.close();
  return { parsed: perSecond(parsed, parseMs), written: perSecond(written, writeMs) };
});
