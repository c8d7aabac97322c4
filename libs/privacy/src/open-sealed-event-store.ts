import { existsSync } from 'node:fs';
import {
  openEventLogReader,
  openEventStore,
  type EventStoreSet,
  type OpenEventStoreOptions,
} from '#libs/event-store/open-event-store.js';
import { SystemClock, type Clock } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import { keysFileOf, openKeyVault, type OpenedKeyVault } from './open-key-vault.js';
import { SealedEventLog } from './sealed.event-log.js';
import { SealedEventStore } from './sealed.event-store.js';
import { SealedParkedMessages } from './sealed.parked-messages.js';
import type { KeyVault } from './vault/key-vault.port.js';
import { MemoryKeyVault } from './vault/memory/memory.key-vault.js';

export type SealSettings = Pick<HubSettings, 'eventStoreUrl' | 'dataDir' | 'masterKey' | 'nextMasterKey'>;

/** The event store of a program, sealing what it stores; open to whoever asks it. */
export interface SealedEventStoreSet extends EventStoreSet {
  readonly vault: KeyVault;
  /** Path of the master key file, where this start has made it. */
  readonly masterKeyCreated?: string;
}

/** Under which the log remembers the vault it was sealed with. */
const VAULT = 'key vault';

/**
 * Opens the engine that `settings.eventStoreUrl` names, and the vault beside it.
 * @throws HubError what `openEventStore` and `openKeyVault` throw
 */
export const openSealedEventStore = async (
  settings: SealSettings,
  clock: Clock = new SystemClock(),
  options: OpenEventStoreOptions = {},
): Promise<SealedEventStoreSet> => {
  const set = await openEventStore(settings, clock, options);
  try {
    const { vault, created } = await openVaultFor(settings, set);
    const events = new SealedEventStore(set.events, vault);
    return {
      ...set,
      ids: set.ids.after(vault.erased),
      events,
      parked: new SealedParkedMessages(set.parked, vault, clock),
      vault,
      ...(created !== undefined && { masterKeyCreated: created }),
      close: async () => {
        await events.close();
        await set.close();
        await vault.close();
      },
    };
  } catch (error) {
    await set.close();
    throw error;
  }
};

const openVaultFor = async (
  settings: SealSettings,
  { installation }: EventStoreSet,
): Promise<Pick<OpenedKeyVault, 'created'> & { vault: KeyVault }> => {
  if (settings.eventStoreUrl === 'memory:') return { vault: new MemoryKeyVault() };
  const opened = await openKeyVault(settings, { known: installation.recall(VAULT) });
  installation.remember(VAULT, opened.vault.id);
  return opened;
};

/**
 * A reader of the log in the data directory, beside a hub that runs or rests; gives events open.
 * @throws HubError what `openEventLogReader` and `openKeyVault` throw
 */
export const openSealedEventLog = async (
  settings: SealSettings,
  options: { cachedKeys?: number } = {},
): Promise<SealedEventLog> => {
  const reader = openEventLogReader(settings);
  try {
    return new SealedEventLog(reader, await openVaultReader(settings, options));
  } catch (error) {
    await reader.close();
    throw error;
  }
};

/**
 * The keys of a data directory, to read with.
 * @throws HubError what `openKeyVault` throws
 */
export const openVaultReader = async (
  settings: SealSettings,
  options: { cachedKeys?: number } = {},
): Promise<KeyVault> => {
  // A log of an earlier release, that no hub has sealed anything in yet, has no vault.
  if (!existsSync(keysFileOf(settings))) return new MemoryKeyVault();
  const { vault } = await openKeyVault(settings, { ...options, readonly: true });
  return vault;
};
