import { PostgresDeliveryLedger } from '#libs/event-store/ledger/postgres.delivery-ledger.js';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { PostgresParkedMessages } from '#libs/event-store/parked/postgres.parked-messages.js';
import { openOperations } from '#libs/event-store/postgres/operations-schema.js';
import { IdFactory, type Clock } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import { loadMasterKeys } from '#libs/privacy/master-key/master-key-files.js';
import type { SealedEventStoreSet } from '#libs/privacy/open-sealed-event-store.js';
import { SealedEventStore } from '#libs/privacy/sealed.event-store.js';
import { SealedParkedMessages } from '#libs/privacy/sealed.parked-messages.js';
import { openPostgresKeyVault } from '#libs/privacy/vault/postgres/postgres.key-vault.js';

/** The log in EventStoreDB, and what lies beside it in PostgreSQL. No connection to EventStoreDB is made yet. */
export const openClusterLog = async (settings: HubSettings, clock: Clock): Promise<SealedEventStoreSet> => {
  const url = settings.readModelUrl;
  const pool = await openOperations(url);
  const vault = await openPostgresKeyVault({ url, masters: loadMasterKeys(settings, true).keys, clock });
  const inner = EventStoreDbEventStore.open({ url: settings.eventStoreUrl });
  const events = new SealedEventStore(inner, vault);
  const ledger = new PostgresDeliveryLedger(pool, inner);
  return {
    events,
    parked: new SealedParkedMessages(new PostgresParkedMessages(pool, clock), vault, clock),
    ledger,
    ids: new IdFactory(Buffer.from(settings.pepper!, 'base64')).after(vault.erased),
    installation: { recall: () => undefined, remember: () => undefined },
    vault,
    close: async () => {
      await events.close();
      await ledger.close();
      await vault.close();
      await pool.end();
    },
  };
};
