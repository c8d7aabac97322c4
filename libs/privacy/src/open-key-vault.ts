import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HubError } from '#libs/kernel';
import { loadMasterKeys, promoteNextMasterKey, type MasterKeySettings } from './master-key/master-key-files.js';
import { LOST } from './vault/key-vault.errors.js';
import type { VaultThread } from './vault/thread/vault-thread.js';
import type { KyselyKeyVault } from './vault/kysely.key-vault.js';
import { isKeyVaultFile, openSqliteKeyVault } from './vault/sqlite/sqlite.key-vault.js';

export const keysFileOf = ({ dataDir }: Pick<MasterKeySettings, 'dataDir'>): string => join(dataDir, 'keys.db');

export interface OpenKeyVaultOptions {
  /** Id of the vault that the log was sealed with; absent where it was never sealed. */
  known?: string | undefined;
  /** Beside the program that writes. @default false */
  readonly?: boolean;
  /** Most keys held unwrapped. @default 10000 */
  cachedKeys?: number;
  /** Keeps the file, for one that writes; closed with the vault. @default this thread keeps it */
  thread?: VaultThread | undefined;
}

export interface OpenedKeyVault {
  vault: KyselyKeyVault;
  /** Path of the master key file, where the first start has just made it. */
  created?: string;
  /** A rotation had ended all but for the name of its key file; now it has. */
  promoted: boolean;
}

/**
 * Opens the vault of a data directory; the first time it makes vault and master key.
 * @throws HubError `KEY_VAULT.MISSING`, `KEY_VAULT.MISMATCH`, `KEY_VAULT.MASTER_KEY_MISSING`, `…_MISMATCH`,
 * `…_INVALID`, `KEY_VAULT.ROTATION_UNFINISHED`; with `readonly` also `SQLITE.FILE_MISSING`
 */
export const openKeyVault = async (
  settings: MasterKeySettings,
  { known, readonly = false, cachedKeys, thread }: OpenKeyVaultOptions = {},
): Promise<OpenedKeyVault> => {
  const file = keysFileOf(settings);
  if (known !== undefined && !existsSync(file)) throw lost('MISSING', file, 'is missing');
  const { keys, created } = loadMasterKeys(settings, readonly || known !== undefined || isKeyVaultFile(file));
  const vault = await openSqliteKeyVault({
    file,
    masters: keys,
    readonly,
    thread,
    ...(cachedKeys !== undefined && { cachedKeys }),
  });
  if (known !== undefined && vault.id !== known) {
    await vault.close();
    throw lost('MISMATCH', file, 'is not the one this log was sealed with');
  }
  const promoted = !readonly && promoteNextMasterKey(settings.dataDir, vault.master);
  return { vault, promoted, ...(created !== undefined && { created }) };
};

const lost = (reason: string, file: string, problem: string): HubError =>
  new HubError(
    `KEY_VAULT.${reason}`,
    `${file} ${problem}. ${LOST} Restore the file from the backup of this data directory.`,
    { facts: { file } },
  );
