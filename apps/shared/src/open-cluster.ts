import type { EventStoreSet } from '#libs/event-store/open-event-store.js';
import type { Operations } from '#libs/event-store/operations.port.js';
import { PostgresDeliveryLedger } from '#libs/event-store/ledger/postgres.delivery-ledger.js';
import { PostgresParkedMessages } from '#libs/event-store/parked/postgres.parked-messages.js';
import { givenPepper } from '#libs/event-store/pepper.js';
import { openOperations } from '#libs/event-store/postgres/operations-schema.js';
import { PostgresCopyState } from '#libs/event-store/postgres/postgres.copy-state.js';
import { PostgresInstallation } from '#libs/event-store/postgres/postgres.installation.js';
import { HubError, IdFactory, type Clock } from '#libs/kernel';
import { counter } from '#libs/kernel/measures.js';
import type { PostgresPool } from '#libs/kernel/postgres.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { loadMasterKeys } from '#libs/privacy/master-key/master-key-files.js';
import {
  openSealedEventStore,
  type OpenVault,
  type SealedEventStoreSet,
} from '#libs/privacy/open-sealed-event-store.js';
import { SealedParkedMessages } from '#libs/privacy/sealed.parked-messages.js';
import { openPostgresKeyVault } from '#libs/privacy/vault/postgres/postgres.key-vault.js';

/** What lies beside the log: enough for whoever hands contacts over and records none. */
export type BesideLog = Pick<SealedEventStoreSet, 'parked' | 'ledger' | 'ids' | 'vault' | 'close'>;

type Settings = Pick<
  HubSettings,
  'eventStoreUrl' | 'readModelUrl' | 'dataDir' | 'masterKey' | 'nextMasterKey' | 'pepper'
>;

/**
 * The log in EventStoreDB, with what lies beside it in PostgreSQL.
 * @throws HubError what `openSealedEventStore` throws
 */
export const openClusterLog = (settings: Settings, clock: Clock): Promise<SealedEventStoreSet> => {
  // Shown as 0 before the first: a rate needs a beginning.
  const drops = counter('hilo_event_store_drops_total', 'Subscriptions that the server ended, begun again');
  return openSealedEventStore(settings, clock, {
    operations: () => openShared(settings, clock),
    vault: vaultOf(settings, clock),
    onDropped: () => drops.inc(),
  });
};

/**
 * What lies beside the log alone, so that a program can start while EventStoreDB is away.
 * @throws HubError `DATA_DIRECTORY.PEPPER_MISMATCH`, `KEY_VAULT.…`, `EVENT_STORE.UNAVAILABLE`
 */
export const openBesideLog = async (settings: Settings, clock: Clock): Promise<BesideLog> => {
  const operations = await openShared(settings, clock);
  try {
    const vault = await vaultOf(settings, clock)({ readonly: false });
    const ledger = operations.ledgerOver(NO_LOG);
    return {
      parked: new SealedParkedMessages(operations.parked, vault, clock),
      ledger,
      ids: new IdFactory(Buffer.from(settings.pepper!, 'base64')).after(vault.erased),
      vault,
      close: async () => {
        await ledger.close();
        await vault.close();
        await operations.close();
      },
    };
  } catch (error) {
    await operations.close();
    throw error;
  }
};

export const vaultOf =
  (settings: Settings, clock: Clock): OpenVault =>
  ({ readonly, cachedKeys }) =>
    openPostgresKeyVault({
      url: settings.readModelUrl,
      masters: loadMasterKeys(settings, true).keys,
      clock,
      readonly,
      ...(cachedKeys !== undefined && { cachedKeys }),
    });

/** All programs of one database derive the same ids, those that do without the log too. */
const openShared = async (settings: Settings, clock: Clock): Promise<Operations> => {
  const pool = await openOperations(settings.readModelUrl);
  try {
    await new PostgresCopyState(pool).use();
    await givenPepper(settings.pepper, {
      shown: 'HILO_READ_MODEL_URL',
      installation: new PostgresInstallation(pool),
      head: async () => 0,
    });
    return operationsIn(pool, clock);
  } catch (error) {
    await pool.end();
    throw error;
  }
};

const operationsIn = (pool: PostgresPool, clock: Clock): Operations => ({
  parked: new PostgresParkedMessages(pool, clock),
  ledgerOver: (log) => new PostgresDeliveryLedger(pool, log),
  close: () => pool.end(),
});

const NO_LOG: Pick<EventStoreSet['events'], 'readAll' | 'head'> = {
  readAll: () => {
    throw noLog();
  },
  head: () => Promise.reject(noLog()),
};

const noLog = (): HubError => new HubError('EVENT_STORE.FAILED', 'this program has no log to count from');
