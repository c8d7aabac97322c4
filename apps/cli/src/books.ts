import type { LedgerTotals, LogCount, ParkedMessages, ParkedSummary, Position } from '#libs/event-store';
import { DataDirectory } from '#libs/event-store/data-directory.js';
import { countLog } from '#libs/event-store/ledger/ledger-tally.js';
import { readSavedLedger } from '#libs/event-store/ledger/sqlite.delivery-ledger.js';
import { SqliteParkedMessages } from '#libs/event-store/parked/sqlite.parked-messages.js';
import { GroupCommit } from '#libs/event-store/sqlite/group-commit.js';
import { SystemClock } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { readMetrics } from './hub-http.js';
import { isShared, openSealedFile } from './open-data.js';

const PAGE = 1000;

/** What different places say about deliveries, wherever they are. */
export interface Books {
  ledger(): Promise<LedgerTotals>;
  /** What the log holds, through a position. */
  countLog(through: Position): Promise<LogCount>;
  head(): Promise<Position>;
  parked(): Promise<ParkedSummary[]>;
  /** Contacts that were accepted and not recorded; undefined where nobody says. */
  inFlight(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** @throws HubError when there is nothing to read */
export const openBooks = (settings: HubSettings): Promise<Books> =>
  isShared(settings) ? openSharedBooks(settings) : Promise.resolve(openFileBooks(settings));

const openFileBooks = (settings: HubSettings): Books => {
  const log = openSealedFile(settings);
  const { db } = log;
  const parked = new SqliteParkedMessages({ db, commits: new GroupCommit(db, 'events.db'), close: () => undefined });
  return {
    ledger: async () => readSavedLedger(log),
    countLog: (through) => countLog(log, through),
    head: () => log.head(),
    parked: () => allParked(parked),
    inFlight: () => inFlightAt(settings),
    close: () => log.close(),
  };
};

const openSharedBooks = async (settings: HubSettings): Promise<Books> => {
  const { openClusterLog } = await import('../../shared/src/open-cluster.js');
  const log = await openClusterLog(settings, new SystemClock());
  return {
    ledger: () => log.ledger.totals(),
    countLog: (through) => log.ledger.countLog(through),
    head: () => log.events.head(),
    parked: () => allParked(log.parked),
    inFlight: () => lagOf(settings),
    close: () => log.close(),
  };
};

const allParked = async (messages: ParkedMessages): Promise<ParkedSummary[]> => {
  const found: ParkedSummary[] = [];
  for (;;) {
    const before = found.at(-1)?.id;
    const page = await messages.list({ limit: PAGE, ...(before !== undefined && { before }) });
    found.push(...page);
    if (page.length < PAGE) return found;
  }
};

/** Contacts that a running hub has accepted and not recorded; undefined when it does not say. */
const inFlightAt = async ({ dataDir, busUrl }: HubSettings): Promise<number | undefined> => {
  const owner = DataDirectory.owner(dataDir);
  // The embedded bus lives in its program: with nobody here, nothing is under way.
  if (!owner) return busUrl === 'embedded:' ? 0 : undefined;
  return owner.url === undefined ? undefined : (await readMetrics(owner.url)).get('hilo_bus_in_flight');
};

/** What lies on the topics; undefined where no broker says. */
const lagOf = async (settings: HubSettings): Promise<number | undefined> => {
  if (!settings.busUrl.startsWith('kafka:')) return undefined;
  const { kafkaClient, kafkaNames } = await import('#libs/bus/kafka/kafka.client.js');
  const { KafkaLag } = await import('#libs/bus/kafka/kafka.lag.js');
  const { group, interactions, inbound } = kafkaNames(settings);
  const admin = kafkaClient(settings, silentLogger()).admin({ retry: { retries: 3 } });
  try {
    await admin.connect();
    return await new KafkaLag(admin, group, [interactions, ...inbound.keys()]).read();
  } catch {
    return undefined;
  } finally {
    await admin.disconnect();
  }
};
