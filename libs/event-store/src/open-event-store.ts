import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HubError, IdFactory, SystemClock, type Clock } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import { DataDirectory } from './data-directory.js';
import type { AppendFeed, RawEventLog } from './event-log.port.js';
import type { EventStore } from './event-store.port.js';
import type { DeliveryLedger } from './ledger/delivery-ledger.port.js';
import { MemoryDeliveryLedger } from './ledger/memory.delivery-ledger.js';
import { SqliteDeliveryLedger } from './ledger/sqlite.delivery-ledger.js';
import { MemoryEventStore } from './memory/memory.event-store.js';
import { MemoryParkedMessages } from './parked/memory.parked-messages.js';
import type { ParkedMessages } from './parked/parked-messages.port.js';
import { SqliteParkedMessages } from './parked/sqlite.parked-messages.js';
import { loadPepper } from './pepper.js';
import { openEventsFile, recall, remember } from './sqlite/events-file.js';
import { SqliteEventLogReader } from './sqlite/sqlite.event-log-reader.js';
import { SqliteEventStore } from './sqlite/sqlite.event-store.js';

/** Values that are kept in the log's own file, so that what lies beside it cannot be exchanged unnoticed. */
export interface Installation {
  recall(name: string): string | undefined;
  /** Durable when it returns. */
  remember(name: string, value: string): void;
}

/** Everything of this room that a program works with, opened and closed together. */
export interface EventStoreSet {
  readonly events: EventStore & RawEventLog;
  /** All that is appended, as it is; absent where other programs append to the log too. */
  readonly appended?: AppendFeed;
  readonly parked: ParkedMessages;
  readonly ledger: DeliveryLedger;
  readonly ids: IdFactory;
  /** What belongs to the log, beside its events. */
  readonly installation: Installation;
  /** The claim on the data directory; absent where the engine needs none. */
  readonly directory?: DataDirectory;
  close(): Promise<void>;
}

export interface OpenEventStoreOptions {
  /** Named to whoever finds the directory in use. @default 'hilo' */
  program?: string;
  /** A claim the caller holds already and gives up itself. @default one of its own */
  directory?: DataDirectory;
}

/** Why a hub cannot run on EventStoreDB yet. */
export const EVENTSTOREDB_ALONE =
  'keeps events, but parked messages, the delivery ledger, the keys and the pepper have no home beside it in this release';

/** Path of the embedded engine's file. */
export const eventsFileOf = ({ dataDir }: Pick<HubSettings, 'dataDir'>): string => join(dataDir, 'events.db');

/**
 * Opens the engine that `settings.eventStoreUrl` names.
 * @throws HubError `SETTINGS.INVALID`, `DATA_DIRECTORY.OWNED`, `DATA_DIRECTORY.PEPPER_MISMATCH`
 */
export const openEventStore = async (
  settings: Pick<HubSettings, 'eventStoreUrl' | 'dataDir'>,
  clock: Clock = new SystemClock(),
  options: OpenEventStoreOptions = {},
): Promise<EventStoreSet> => {
  const url = settings.eventStoreUrl;
  if (url === 'memory:') return openMemory(clock);
  if (url === 'sqlite:') return openSqliteSet(settings, clock, options);
  throw engineRefused(url);
};

/**
 * A reader of the log in the data directory, beside a hub that runs or rests.
 * @throws HubError `SETTINGS.INVALID`, `SQLITE.FILE_MISSING`
 */
export const openEventLogReader = (settings: Pick<HubSettings, 'eventStoreUrl' | 'dataDir'>): SqliteEventLogReader => {
  if (settings.eventStoreUrl !== 'sqlite:')
    throw new HubError('SETTINGS.INVALID', 'HILO_EVENT_STORE_URL: only the log of sqlite: can be read beside the hub');
  return SqliteEventLogReader.open({ file: eventsFileOf(settings) });
};

const openMemory = (clock: Clock): EventStoreSet => {
  const events = new MemoryEventStore(clock);
  const ledger = new MemoryDeliveryLedger(events);
  const remembered = new Map<string, string>();
  return {
    events,
    appended: events,
    installation: {
      recall: (name) => remembered.get(name),
      remember: (name, value) => void remembered.set(name, value),
    },
    parked: new MemoryParkedMessages(clock),
    ledger,
    ids: new IdFactory(randomBytes(32)),
    close: () => events.close(),
  };
};

const openSqliteSet = async (
  settings: Pick<HubSettings, 'dataDir'>,
  clock: Clock,
  { program = 'hilo', directory: held }: OpenEventStoreOptions,
): Promise<EventStoreSet> => {
  const directory = held ?? DataDirectory.claim(settings.dataDir, { program });
  const undo: (() => void)[] = held ? [] : [() => directory.release()];
  try {
    const file = openEventsFile(join(directory.path, 'events.db'));
    undo.unshift(() => file.close());
    const ids = new IdFactory(loadPepper(directory.path, file));
    const events = withSmallCache(file.db, () => new SqliteEventStore(file, clock));
    const ledger = await SqliteDeliveryLedger.open(file, events);
    return {
      events,
      appended: events,
      parked: new SqliteParkedMessages(file, clock),
      ledger,
      ids,
      installation: {
        recall: (name) => recall(file.db, name),
        remember: (name, value) => remember(file.db, name, value),
      },
      directory,
      close: async () => {
        await events.close();
        try {
          await ledger.close();
        } finally {
          for (const step of undo.splice(0)) step();
        }
      },
    };
  } catch (error) {
    for (const step of undo) step();
    throw error;
  }
};

// The store reads the newest events once when it opens; a hub at rest need not hold their pages.
const withSmallCache = <T>(db: SqliteDatabase, open: () => T): T => {
  const usual = db.prepare('PRAGMA cache_size').first<{ cache_size: number }>([])!.cache_size;
  db.exec('PRAGMA cache_size = -256');
  const opened = open();
  db.exec(`PRAGMA cache_size = ${usual}`);
  return opened;
};

const engineRefused = (url: string): HubError => {
  const scheme = /^[^:]*/.exec(url)![0];
  return new HubError('SETTINGS.INVALID', `HILO_EVENT_STORE_URL: ${problemOf(scheme)}`);
};

const problemOf = (scheme: string): string => {
  if (scheme === 'esdb' || scheme === 'esdb+discover') return `${scheme}: ${EVENTSTOREDB_ALONE}; use sqlite:`;
  if (scheme.startsWith('kurrentdb')) return `KurrentDB is named esdb: here, and ${EVENTSTOREDB_ALONE}; use sqlite:`;
  return `unknown engine "${scheme}"; allowed are sqlite: (in HILO_DATA_DIR) and memory:`;
};
