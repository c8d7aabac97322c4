import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { NotedLooks, waitingLooks } from '#libs/access/trail/noted-looks.js';
import type { DataDirectory } from '#libs/event-store/data-directory.js';
import { PEPPER } from '#libs/event-store/installation.js';
import { fingerprintOf, pepperFile, pepperOf } from '#libs/event-store/pepper.js';
import type { SqliteEventLogReader } from '#libs/event-store/sqlite/sqlite.event-log-reader.js';
import { SystemClock } from '#libs/kernel';
import { createLogger } from '#libs/kernel/logging.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { loadMasterKeys, masterKeyFile } from '#libs/privacy/master-key/master-key-files.js';
import { keysFileOf } from '#libs/privacy/open-key-vault.js';
import { openSealedEventStore } from '#libs/privacy/open-sealed-event-store.js';
import { masterKeysOf, type VaultTables } from '#libs/privacy/vault/copy-vault.js';
import { isKeyVaultFile, openSqliteVaultTables } from '#libs/privacy/vault/sqlite/sqlite.key-vault.js';
import { failure } from '../errors.js';
import { openSealedFile } from '../open-data.js';

/** What a hub at rest has left in its data directory. */
export interface MigrationSource {
  /** Settings of the hub. */
  settings: HubSettings;
  log: SqliteEventLogReader;
  vault: VaultTables;
  close(): Promise<void>;
}

/**
 * That the programs will have what they need, in one line that an operator can carry out.
 * @throws HubError
 */
export const requireSecrets = ({ dataDir, pepper, masterKey, readModelUrl }: HubSettings): void => {
  const keyFile = resolve(masterKeyFile(dataDir));
  const missing = [
    ...(readModelUrl === 'sqlite:' ? ['HILO_READ_MODEL_URL=postgres://user:password@host/database'] : []),
    ...(pepper === undefined ? [`HILO_PEPPER="$(openssl base64 -A -in '${resolve(pepperFile(dataDir))}')"`] : []),
    ...(masterKey === undefined
      ? [`HILO_MASTER_KEY=${existsSync(keyFile) ? `"$(cat '${keyFile}')"` : '… as the hub has it'}`]
      : []),
  ];
  if (missing.length > 0) throw failure(`set what the programs will be given as well: ${missing.join(' ')}`);
};

/** Tells a pepper or master key from another, and is short enough to be read out. */
const short = (fingerprint: string): string => fingerprint.slice(0, 8);

/**
 * That pepper and master key are those of the data directory.
 * @returns their fingerprints, shortened
 * @throws HubError naming the variable and both fingerprints
 */
export const checkSecrets = async (settings: HubSettings): Promise<{ pepper: string; masterKey: string }> => {
  const given = fingerprintOf(pepperOf(settings.pepper!));
  const [file, keyFile] = [resolve(pepperFile(settings.dataDir)), resolve(masterKeyFile(settings.dataDir))];
  const known = await pepperOfLog(settings);
  if (known !== undefined && known !== given)
    throw failure(
      `HILO_PEPPER: is not the pepper of this log, under which all its ids were derived (fingerprint ${short(given)} ` +
        `instead of ${short(known)}); set it to what ${file} holds, in base64`,
    );
  const master = loadMasterKeys(settings, true).keys[0]!.fingerprint;
  const wraps = await masterOfVault(settings);
  if (wraps !== undefined && wraps !== master)
    throw failure(
      `HILO_MASTER_KEY: is not the master key that this hub's keys are wrapped by (fingerprint ${short(master)} instead ` +
        `of ${short(wraps)}); set it to what ${existsSync(keyFile) ? `${keyFile} holds` : 'the hub has'}`,
    );
  return { pepper: short(given), masterKey: short(master) };
};

const pepperOfLog = async (settings: HubSettings): Promise<string | undefined> => {
  const log = openSealedFile(settings);
  try {
    const file = pepperFile(settings.dataDir);
    return (
      (await log.installation.recall(PEPPER)) ?? (existsSync(file) ? fingerprintOf(readFileSync(file)) : undefined)
    );
  } finally {
    await log.close();
  }
};

const masterOfVault = async (settings: HubSettings): Promise<string | undefined> => {
  const file = keysFileOf(settings);
  if (!isKeyVaultFile(file)) return undefined;
  const vault = await openSqliteVaultTables(file);
  try {
    const masters = await masterKeysOf(vault);
    if (masters.some(({ state }) => state === 'next'))
      throw failure('a change of the master key has begun and not ended; run hilo keys rotate to its end first');
    return masters.find(({ state }) => state === 'active')?.fingerprint;
  } finally {
    await vault.destroy();
  }
};

/**
 * Has the log hold all there is to it: looks that were noted beside the hub, counts that a crash has left uncounted.
 * @throws HubError what keeps a hub from starting
 */
export const settleSource = async (settings: HubSettings, directory: DataDirectory): Promise<void> => {
  const set = await openSealedEventStore(settings, new SystemClock(), { directory });
  try {
    if (waitingLooks(settings.dataDir).length > 0)
      await new NotedLooks(settings.dataDir, set.events, createLogger(settings.logLevel, 'hilo migrate')).take();
  } finally {
    await set.close();
  }
  const [left] = waitingLooks(settings.dataDir);
  if (left !== undefined) throw failure(`${resolve(left)}: this look at a customer cannot be written into the log`);
};

/** @throws HubError when something of it is missing */
export const openMigrationSource = async (settings: HubSettings): Promise<MigrationSource> => {
  const log = openSealedFile(settings);
  try {
    const vault = await openSqliteVaultTables(keysFileOf(settings));
    return {
      settings,
      log,
      vault,
      close: async () => {
        await vault.destroy();
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
};
