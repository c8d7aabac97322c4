import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HubError, IdFactory, SystemClock, type Clock } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import { DataDirectory } from './data-directory.js';
import type { AppendFeed, EventLog, RawEventLog } from './event-log.port.js';
import type { EventStore } from './event-store.port.js';
import type { Installation } from './installation.js';
import type { DeliveryLedger } from './ledger/delivery-ledger.port.js';
import { SqliteDeliveryLedger } from './ledger/sqlite.delivery-ledger.js';
import { MemoryEventStore } from './memory/memory.event-store.js';
import { memoryOperations } from './memory/memory.operations.js';
import type { Operations } from './operations.port.js';
import type { ParkedMessages } from './parked/parked-messages.port.js';
import { SqliteParkedMessages } from './parked/sqlite.parked-messages.js';
import { givenPepper, loadPepper } from './pepper.js';
import { openEventsFile, recall, remember } from './sqlite/events-file.js';
import { SqliteEventLogReader } from './sqlite/sqlite.event-log-reader.js';
import { SqliteEventStore } from './sqlite/sqlite.event-store.js';

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

export interface ServerLogOptions {
  /** Hears of each subscription to a log on a server that ended without our stop, and why; it goes on by itself. */
  onDropped?: (reason: unknown, dropsInARow: number) => void;
}

export interface OpenEventStoreOptions extends ServerLogOptions {
  /** Named to whoever finds the directory in use. @default 'hilo' */
  program?: string;
  /** A claim the caller holds already and gives up itself. @default one of its own */
  directory?: DataDirectory;
  /** Opens what lies beside a log on a server; needed with `esdb://`, closed with the set. */
  operations?: () => Promise<Operations>;
}

/** What tells where a log is, and what it needs. */
export type EventStoreSettings = Pick<HubSettings, 'eventStoreUrl' | 'dataDir' | 'pepper'>;

/** A log to read from, beside whoever writes it. */
export interface EventLogReader extends EventLog, RawEventLog {
  readonly installation: Pick<Installation, 'recall'>;
  close(): Promise<void>;
}

/** Why a program that has no place for the rest is refused EventStoreDB. */
export const EVENTSTOREDB_ALONE =
  'keeps events, but this program has no place for parked messages, delivery counts and keys beside it';

/** Whether a log lies on a server, where several programs append to it. */
export const isServerUrl = (eventStoreUrl: string): boolean => /^esdb(\+discover)?:/.test(eventStoreUrl);

/** Path of the embedded engine's file. */
export const eventsFileOf = ({ dataDir }: Pick<HubSettings, 'dataDir'>): string => join(dataDir, 'events.db');

/**
 * Opens the engine that `settings.eventStoreUrl` names.
 * @throws HubError `SETTINGS.INVALID`, `DATA_DIRECTORY.OWNED`, `DATA_DIRECTORY.PEPPER_MISMATCH`
 */
export const openEventStore = async (
  settings: EventStoreSettings,
  clock: Clock = new SystemClock(),
  options: OpenEventStoreOptions = {},
): Promise<EventStoreSet> => {
  const url = settings.eventStoreUrl;
  if (isServerUrl(url) && options.operations) return openOnServer(settings, options.operations, options);
  if (url === 'memory:') return openMemory(clock);
  if (url === 'sqlite:') return openSqliteSet(settings, clock, options);
  throw engineRefused(url);
};

/**
 * A reader of the log, beside the programs that write it, running or at rest.
 * @throws HubError `SETTINGS.INVALID`, `SQLITE.FILE_MISSING`
 */
export const openEventLogReader = async (
  settings: EventStoreSettings,
  options: ServerLogOptions = {},
): Promise<EventLogReader> =>
  isServerUrl(settings.eventStoreUrl) ? openEventStoreDb(settings, options) : openEventsFileReader(settings);

/**
 * The same of a data directory, with what else lies in its file.
 * @throws HubError `SETTINGS.INVALID`, `SQLITE.FILE_MISSING`
 */
export const openEventsFileReader = (settings: EventStoreSettings): SqliteEventLogReader => {
  if (settings.eventStoreUrl !== 'sqlite:')
    throw new HubError('SETTINGS.INVALID', 'HILO_EVENT_STORE_URL: this is read beside the hub from sqlite: alone');
  return SqliteEventLogReader.open({ file: eventsFileOf(settings) });
};

const openMemory = (clock: Clock): EventStoreSet => {
  const events = new MemoryEventStore(clock);
  const operations = memoryOperations(clock);
  const remembered = new Map<string, string>();
  return {
    events,
    appended: events,
    installation: {
      recall: async (name) => remembered.get(name),
      keep: async (name, value) => remembered.get(name) ?? (remembered.set(name, value), value),
    },
    parked: operations.parked,
    ledger: operations.ledgerOver(events),
    ids: new IdFactory(randomBytes(32)),
    close: () => events.close(),
  };
};

const openEventStoreDb = async ({ eventStoreUrl }: EventStoreSettings, { onDropped }: ServerLogOptions) => {
  // Only who runs on a server pays for the loading of its client.
  const { EventStoreDbEventStore } = await import('./eventstoredb/eventstoredb.event-store.js');
  return EventStoreDbEventStore.open({ url: eventStoreUrl, ...(onDropped && { onDropped }) });
};

const openOnServer = async (
  settings: EventStoreSettings,
  openOperations: () => Promise<Operations>,
  options: ServerLogOptions,
): Promise<EventStoreSet> => {
  const events = await openEventStoreDb(settings, options);
  try {
    const pepper = await givenPepper(settings.pepper, events);
    const operations = await openOperations();
    const ledger = operations.ledgerOver(events);
    return {
      events,
      parked: operations.parked,
      ledger,
      ids: new IdFactory(pepper),
      installation: events.installation,
      close: async () => {
        try {
          await ledger.close();
        } finally {
          await events.close();
          await operations.close();
        }
      },
    };
  } catch (error) {
    await events.close();
    throw error;
  }
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
        recall: async (name) => recall(file.db, name),
        keep: async (name, value) => {
          const known = recall(file.db, name);
          if (known === undefined) remember(file.db, name, value);
          return known ?? value;
        },
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
  if (isServerUrl(`${scheme}:`)) return `${scheme}: ${EVENTSTOREDB_ALONE}; use sqlite:`;
  if (scheme.startsWith('kurrentdb')) return `KurrentDB is named esdb: here, and ${EVENTSTOREDB_ALONE}; use sqlite:`;
  return `unknown engine "${scheme}"; allowed are sqlite: (in HILO_DATA_DIR) and memory:`;
};
