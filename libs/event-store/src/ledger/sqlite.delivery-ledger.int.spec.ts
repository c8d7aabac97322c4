import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newStream } from '../event-store.contract.js';
import { openEventsFile, type EventsFile } from '../sqlite/events-file.js';
import { SqliteEventLogReader } from '../sqlite/sqlite.event-log-reader.js';
import { SqliteEventStore } from '../sqlite/sqlite.event-store.js';
import { contactAt, deliveryLedgerContract, none, shop, support } from './delivery-ledger.contract.js';
import type { LedgerRow } from './delivery-ledger.port.js';
import { readSavedLedger, SqliteDeliveryLedger } from './sqlite.delivery-ledger.js';

const dir = mkdtempSync(join(tmpdir(), 'hilo-ledger-'));
afterAll(() => rmSync(dir, { recursive: true }));

const openAt = async (path: string) => {
  const file = openEventsFile(path);
  const events = new SqliteEventStore(file);
  const ledger = await SqliteDeliveryLedger.open(file, events);
  return {
    path,
    file,
    events,
    ledger,
    close: async (): Promise<void> => {
      await events.close();
      await ledger.close();
      file.close();
    },
  };
};
const open = () => openAt(join(dir, `${randomUUID()}.db`));

let closeLast: () => Promise<void>;
deliveryLedgerContract('SqliteDeliveryLedger', {
  open: async () => {
    const opened = await open();
    closeLast = opened.close;
    return opened;
  },
  close: () => closeLast(),
});

const fromLog = (rows: LedgerRow[]) => rows.map(({ duplicate: _, parked: __, ...row }) => row);

describe('SqliteDeliveryLedger', () => {
  // What a killed process leaves: the files as they are at one moment.
  const crashed = async (path: string) => {
    const copy = join(dir, `${randomUUID()}.db`);
    for (const part of ['', '-wal']) copyFileSync(`${path}${part}`, `${copy}${part}`);
    return openAt(copy);
  };

  it('equals the log after a crash at any moment', async () => {
    const { path, events, ledger, close } = await open();
    for (let i = 0; i < 25; i++) {
      const streams = Array.from({ length: 1 + (i % 5) }, newStream);
      await Promise.all(
        streams.map((stream) => events.append(stream, [contactAt(i % 2 ? support : shop)], 'no_stream')),
      );
      await events.append(streams[0]!, [contactAt(i % 2 ? support : shop, 'InteractionCorrected')], 0);
      if (i % 4 === 0) void ledger.flush();
      if (i % 7 === 0) await ledger.flush();
      const recovered = await crashed(path);
      const { countedThrough, rows } = await recovered.ledger.totals();
      expect(countedThrough).toBe(await events.head());
      expect(fromLog(rows)).toEqual((await recovered.ledger.countLog(countedThrough)).rows);
      await recovered.close();
    }
    await close();
  });

  it('keeps flushed duplicates and parked messages over a crash', async () => {
    const { path, ledger, close } = await open();
    ledger.count(support, 'duplicate');
    ledger.count(support, 'parked');
    await ledger.flush();
    const recovered = await crashed(path);
    expect((await recovered.ledger.totals()).rows).toEqual([{ ...support, ...none, duplicate: 1, parked: 1 }]);
    await recovered.close();
    await close();
  });

  it('saves by itself within a moment', async () => {
    const { path, ledger, close } = await open();
    ledger.count(support, 'duplicate');
    await new Promise((resolve) => setTimeout(resolve, 250));
    const reader = SqliteEventLogReader.open({ file: path });
    expect(readSavedLedger(reader).rows).toEqual([{ ...support, ...none, duplicate: 1 }]);
    await reader.close();
    await close();
  });

  it('keeps its counts when they cannot be saved', async () => {
    const { file, ledger, close } = await open();
    file.db.exec('ALTER TABLE ledger RENAME TO away');
    ledger.count(support, 'duplicate');
    await expect(ledger.flush()).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
    file.db.exec('ALTER TABLE away RENAME TO ledger');
    expect((await ledger.totals()).rows).toEqual([{ ...support, ...none, duplicate: 1 }]);
    await close();
  });

  it.each(['the newest', 'the oldest'])('differs from the log when it has lost %s event', async (which) => {
    const { path, events, close } = await open();
    for (let i = 0; i < 10; i++) await events.append(newStream(), [contactAt(support)], 'no_stream');
    await close();
    const file: EventsFile = openEventsFile(path);
    file.db.exec(`DELETE FROM event WHERE position = ${which === 'the newest' ? 10 : 1}`);
    file.close();
    const reopened = await openAt(path);
    expect((await reopened.ledger.totals()).rows).toMatchObject([{ recorded: 10 }]);
    expect((await reopened.ledger.countLog()).rows).toMatchObject([{ recorded: 9 }]);
    await reopened.close();
  });
});
