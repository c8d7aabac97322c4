import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { IdFactory } from '#libs/kernel';
import { HubSettings } from '#libs/kernel/settings.js';
import { DataDirectory } from './data-directory.js';
import { collect, eventOf, newStream } from './event-store.contract.js';
import { EVENT_STORE_SET, EventStoreModule } from './event-store.module.js';
import { EventStore } from './event-store.port.js';
import { DeliveryLedger } from './ledger/delivery-ledger.port.js';
import { EVENTSTOREDB_ALONE, openEventLogReader, openEventStore, type EventStoreSet } from './open-event-store.js';
import { parkedOf } from './parked/parked-messages.contract.js';
import { ParkedMessages } from './parked/parked-messages.port.js';

const root = mkdtempSync(join(tmpdir(), 'hilo-open-'));
afterAll(() => rmSync(root, { recursive: true }));
let next = 0;
const settingsOf = (eventStoreUrl = 'sqlite:', dataDir = join(root, String(next++))): HubSettings =>
  Object.assign(new HubSettings(), { eventStoreUrl, dataDir });

describe('openEventStore', () => {
  it('opens everything in the data directory, holds it, and gives it up', async () => {
    const settings = settingsOf();
    const set = await openEventStore(settings, undefined, { program: 'hub' });
    expect(DataDirectory.owner(settings.dataDir)).toMatchObject({ program: 'hub' });
    await expect(openEventStore(settings)).rejects.toMatchObject({ code: 'DATA_DIRECTORY.OWNED' });
    const heads: number[] = [];
    set.appended!.onAppended((events) => heads.push(events.at(-1)!.position));
    await Promise.all([set.events.append(newStream(), [eventOf()], 'no_stream'), set.parked.park(parkedOf())]);
    expect(heads).toEqual([1]);
    const reader = await openEventLogReader(settings);
    expect(await collect(reader.readAll({ after: 0 }))).toHaveLength(1);
    await reader.close();
    await set.close();
    expect(DataDirectory.owner(settings.dataDir)).toBeUndefined();
    const again = await openEventStore(settings);
    expect(await again.events.head()).toBe(1);
    expect(again.ids.identity('t', 'email', 'a')).toBe(set.ids.identity('t', 'email', 'a'));
    await again.close();
  });

  it('uses a claim that the program holds, and leaves it to the program', async () => {
    const settings = settingsOf();
    const directory = DataDirectory.claim(settings.dataDir, { program: 'hub' });
    const set = await openEventStore(settings, undefined, { directory });
    await set.close();
    expect(DataDirectory.owner(settings.dataDir)).toMatchObject({ program: 'hub' });
    directory.release();
  });

  it('needs no directory for memory:', async () => {
    const set = await openEventStore(settingsOf('memory:', '/nowhere'));
    await set.events.append(newStream(), [eventOf()], 'no_stream');
    expect((await set.ledger.totals()).countedThrough).toBe(1);
    await set.close();
  });

  it.each([
    ['esdb://localhost:2113', `esdb: ${EVENTSTOREDB_ALONE}; use sqlite:`],
    ['kurrentdb://localhost', `KurrentDB is named esdb: here, and ${EVENTSTOREDB_ALONE}; use sqlite:`],
    ['mysql://localhost', 'unknown engine "mysql"; allowed are sqlite: (in HILO_DATA_DIR) and memory:'],
    ['', 'unknown engine ""; allowed are sqlite: (in HILO_DATA_DIR) and memory:'],
  ])('refuses "%s"', async (url, message) => {
    await expect(openEventStore(settingsOf(url))).rejects.toMatchObject({
      code: 'SETTINGS.INVALID',
      message: `HILO_EVENT_STORE_URL: ${message}`,
    });
  });

  describe('with its pepper', () => {
    const used = async (): Promise<{ settings: HubSettings; pepper: string }> => {
      const settings = settingsOf();
      const set = await openEventStore(settings);
      await set.events.append(newStream(), [eventOf()], 'no_stream');
      await set.close();
      return { settings, pepper: join(settings.dataDir, 'pepper') };
    };

    it('creates 32 bytes for its owner alone', async () => {
      const { pepper } = await used();
      expect(readFileSync(pepper)).toHaveLength(32);
      expect(statSync(pepper).mode & 0o777).toBe(0o600);
    });

    it('refuses to start with another one or without, saying what is lost, and lets the directory go', async () => {
      const { settings, pepper } = await used();
      copyFileSync(pepper, `${pepper}.backup`);
      const refused = expect.objectContaining({
        code: 'DATA_DIRECTORY.PEPPER_MISMATCH',
        message: expect.stringContaining('recorded a second time') as string,
      }) as unknown;
      for (const spoil of [
        () => rmSync(pepper),
        () => writeFileSync(pepper, Buffer.alloc(32)),
        () => writeFileSync(pepper, 'short'),
      ]) {
        spoil();
        await expect(openEventStore(settings)).rejects.toEqual(refused);
      }
      copyFileSync(`${pepper}.backup`, pepper);
      await (await openEventStore(settings)).close();
    });

    it('takes a new one while the log is empty', async () => {
      const settings = settingsOf();
      await (await openEventStore(settings)).close();
      rmSync(join(settings.dataDir, 'pepper'));
      const set = await openEventStore(settings);
      expect(readFileSync(join(settings.dataDir, 'pepper'))).toHaveLength(32);
      await set.close();
    });
  });
});

describe('EventStoreModule', () => {
  it('offers the ports, and closes them on shutdown', async () => {
    const settings = settingsOf();
    const module = await Test.createTestingModule({
      imports: [EventStoreModule.forRoot(settings, { program: 'hub' })],
    }).compile();
    await module.init();
    for (const port of [EventStore, ParkedMessages, DeliveryLedger]) expect(module.get(port)).toBeInstanceOf(port);
    expect(module.get(IdFactory)).toBeInstanceOf(IdFactory);
    expect(module.get<EventStoreSet>(EVENT_STORE_SET).directory?.path).toBe(settings.dataDir);
    await module.get(EventStore).append(newStream(), [eventOf()], 'no_stream');
    await module.close();
    expect(DataDirectory.owner(settings.dataDir)).toBeUndefined();
  });
});
