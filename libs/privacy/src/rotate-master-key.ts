import { existsSync } from 'node:fs';
import { HubError } from '#libs/kernel';
import {
  makeMasterKey,
  nextMasterKey,
  nextMasterKeyFile,
  promoteNextMasterKey,
  type MasterKeySettings,
} from './master-key/master-key-files.js';
import { keysFileOf, openKeyVault } from './open-key-vault.js';
import type { RotateOptions } from './vault/kysely.key-vault.js';

/** How a change of the master key ended. */
export interface Rotation {
  /** False when it was stopped before its end: the same call goes on. */
  ended: boolean;
  /** Where the new key is: in the key file, or with whoever set `HILO_NEXT_MASTER_KEY`. */
  kept: 'file' | 'environment';
}

/**
 * Wraps all data keys by a new master key: the one of `HILO_NEXT_MASTER_KEY`, else a new one that takes the place of
 * the key file. Needs the data directory alone. Sealed content stays as it is.
 * @throws HubError `SETTINGS.INVALID` where the next key is not said, and what `openKeyVault` throws
 */
export const rotateMasterKey = async (settings: MasterKeySettings, options: RotateOptions = {}): Promise<Rotation> => {
  const { dataDir } = settings;
  if (!existsSync(keysFileOf(settings)))
    throw new HubError('KEY_VAULT.MISSING', `${keysFileOf(settings)} does not exist: nothing was sealed here yet`);
  if (settings.masterKey !== undefined && settings.nextMasterKey === undefined)
    throw new HubError(
      'SETTINGS.INVALID',
      'HILO_NEXT_MASTER_KEY: is not set; HILO_MASTER_KEY holds the key in use, so set the next one beside it ' +
        '(openssl rand -base64 32)',
    );
  const kept = settings.nextMasterKey === undefined ? 'file' : 'environment';
  const { vault, promoted } = await openKeyVault(settings);
  try {
    // A crash came between the last key and the new name of the file.
    if (promoted) return { ended: true, kept };
    const next = nextMasterKey(settings) ?? makeMasterKey(nextMasterKeyFile(dataDir));
    const ended = await vault.rotate(next, options);
    if (ended && kept === 'file') promoteNextMasterKey(dataDir, vault.master);
    return { ended, kept };
  } finally {
    await vault.close();
  }
};
