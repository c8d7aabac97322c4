import { existsSync } from 'node:fs';
import { KEY_VAULT, type Installation } from '#libs/event-store/installation.js';
import {
  isServerUrl,
  openEventLogReader,
  openEventStore,
  type EventStoreSet,
  type OpenEventStoreOptions,
  type ServerLogOptions,
} from '#libs/event-store/open-event-store.js';
import { HubError, SystemClock, type Clock } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import { keysFileOf, openKeyVault, type OpenedKeyVault } from './open-key-vault.js';
import { SealedEventLog } from './sealed.event-log.js';
import { SealedEventStore } from './sealed.event-store.js';
import { SealedParkedMessages } from './sealed.parked-messages.js';
import { VaultThread } from './vault/thread/vault-thread.js';
import { LOST } from './vault/key-vault.errors.js';
import type { KeyVault } from './vault/key-vault.port.js';
import { MemoryKeyVault } from './vault/memory/memory.key-vault.js';

export type SealSettings = Pick<HubSettings, 'eventStoreUrl' | 'dataDir' | 'pepper' | 'masterKey' | 'nextMasterKey'>;

/** The event store of a program, sealing what it stores; open to whoever asks it. */
export interface SealedEventStoreSet extends EventStoreSet {
  readonly vault: KeyVault;
  /** Path of the master key file, where this start has made it. */
  readonly masterKeyCreated?: string;
}

export interface OpenVaultOptions {
  /** Id of the vault that the log was sealed with: then its master key must not be made anew. */
  known?: string;
  /** Beside the programs that write. */
  readonly: boolean;
  /** Most keys held unwrapped. @default the vault's */
  cachedKeys?: number;
}

/** Opens the keys of a log on a server, where all its programs find them. */
export type OpenVault = (options: OpenVaultOptions) => Promise<KeyVault>;

export interface OpenSealedEventStoreOptions extends OpenEventStoreOptions {
  /** Needed with `esdb://`; closed with the set. */
  vault?: OpenVault;
  /** Has a thread keep the file of the keys of `sqlite:`; hears of its death. @default this thread keeps it */
  onThreadFailure?: (error: Error) => void;
}

export interface OpenSealedEventLogOptions extends ServerLogOptions, Pick<OpenVaultOptions, 'cachedKeys'> {
  /** Needed with `esdb://`; closed with the log. */
  vault?: OpenVault;
}

/**
 * Opens the engine that `settings.eventStoreUrl` names, and the vault beside it.
 * @throws HubError what `openEventStore` and `openKeyVault` throw; on a server `KEY_VAULT.MISMATCH` and what `options.vault` throws
 */
export const openSealedEventStore = async (
  settings: SealSettings,
  clock: Clock = new SystemClock(),
  options: OpenSealedEventStoreOptions = {},
): Promise<SealedEventStoreSet> => {
  const set = await openEventStore(settings, clock, options);
  const { onThreadFailure } = options;
  const thread =
    onThreadFailure && settings.eventStoreUrl === 'sqlite:' ? VaultThread.start(onThreadFailure) : undefined;
  try {
    const { vault, created } = await openVaultFor(settings, set, options, thread);
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
    await thread?.close();
    await set.close();
    throw error;
  }
};

const openVaultFor = async (
  settings: SealSettings,
  { installation }: EventStoreSet,
  options: OpenSealedEventStoreOptions,
  thread: VaultThread | undefined,
): Promise<Pick<OpenedKeyVault, 'created'> & { vault: KeyVault }> => {
  if (settings.eventStoreUrl === 'memory:') return { vault: new MemoryKeyVault() };
  if (isServerUrl(settings.eventStoreUrl)) {
    const vault = await openSharedVault(installation, options.vault, { readonly: false });
    // Programs that start together on a new log agree on the vault of the first.
    await closeUnless(vault, (await installation.keep(KEY_VAULT, vault.id)) === vault.id);
    return { vault };
  }
  const opened = await openKeyVault(settings, { known: await installation.recall(KEY_VAULT), thread });
  await installation.keep(KEY_VAULT, opened.vault.id);
  return opened;
};

const openSharedVault = async (
  installation: Pick<Installation, 'recall'>,
  open: OpenVault | undefined,
  options: Omit<OpenVaultOptions, 'known'>,
): Promise<KeyVault> => {
  if (!open)
    throw new HubError(
      'SETTINGS.INVALID',
      'HILO_EVENT_STORE_URL: esdb: this program has no place for the keys beside it',
    );
  const known = await installation.recall(KEY_VAULT);
  const vault = await open({ ...options, ...(known !== undefined && { known }) });
  await closeUnless(vault, known === undefined || known === vault.id);
  return vault;
};

const closeUnless = async (vault: KeyVault, same: boolean): Promise<void> => {
  if (same) return;
  await vault.close();
  throw new HubError(
    'KEY_VAULT.MISMATCH',
    `the key vault is not the one this log was sealed with. ${LOST} Name the vault of this log, or restore it from its backup.`,
  );
};

/**
 * A reader of the log, beside the programs that write it, running or at rest; gives events open.
 * @throws HubError what `openEventLogReader` and `openKeyVault` throw; on a server `KEY_VAULT.MISMATCH` and what `options.vault` throws
 */
export const openSealedEventLog = async (
  settings: SealSettings,
  { vault: openVault, cachedKeys, ...options }: OpenSealedEventLogOptions = {},
): Promise<SealedEventLog> => {
  const cache = cachedKeys === undefined ? {} : { cachedKeys };
  const reader = await openEventLogReader(settings, options);
  try {
    const vault = isServerUrl(settings.eventStoreUrl)
      ? await openSharedVault(reader.installation, openVault, { ...cache, readonly: true })
      : await openVaultReader(settings, cache);
    return new SealedEventLog(reader, vault);
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
