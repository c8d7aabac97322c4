import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HubError } from '#libs/kernel';
import { renameDurably, writeDurably } from '#libs/kernel/durable-file.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { LOST } from '../vault/key-vault.errors.js';
import { KEY_BYTES, MasterKey } from './master-key.js';

export type MasterKeySettings = Pick<HubSettings, 'dataDir' | 'masterKey' | 'nextMasterKey'>;

export const masterKeyFile = (dataDir: string): string => join(dataDir, 'master.key');
/** The key that a rotation leads to; it takes the other name when the rotation has ended. */
export const nextMasterKeyFile = (dataDir: string): string => join(dataDir, 'master.key.next');

export interface MasterKeys {
  /** The one in use first; a second one only while a rotation is under way. */
  keys: MasterKey[];
  /** Path of the file, where it was made just now. */
  created?: string;
}

/**
 * The master keys of an installation, from `HILO_MASTER_KEY` or the key file.
 * @param begun a vault exists already: then a missing key is a loss, and none is made
 * @throws HubError `KEY_VAULT.MASTER_KEY_MISSING`, `KEY_VAULT.MASTER_KEY_INVALID`
 */
export const loadMasterKeys = (settings: MasterKeySettings, begun: boolean): MasterKeys => {
  const file = masterKeyFile(settings.dataDir);
  let created: string | undefined;
  if (settings.masterKey === undefined && !existsSync(file)) {
    if (begun) throw missing(file);
    makeMasterKey(file);
    created = file;
  }
  const next = nextMasterKey(settings);
  return {
    keys: [
      settings.masterKey === undefined ? readMasterKey(file) : masterKeyOf(settings.masterKey, 'HILO_MASTER_KEY'),
      ...(next ? [next] : []),
    ],
    ...(created !== undefined && { created }),
  };
};

/** The key a rotation leads to, where one is given or begun. */
export const nextMasterKey = ({ dataDir, nextMasterKey: given }: MasterKeySettings): MasterKey | undefined => {
  if (given !== undefined) return masterKeyOf(given, 'HILO_NEXT_MASTER_KEY');
  const file = nextMasterKeyFile(dataDir);
  return existsSync(file) ? readMasterKey(file) : undefined;
};

/** A new key in a file of its own, readable by its owner alone. */
export const makeMasterKey = (file: string): MasterKey => {
  const secret = randomBytes(KEY_BYTES);
  writeDurably(file, Buffer.from(`${secret.toString('base64')}\n`));
  return new MasterKey(secret);
};

/**
 * The end of a rotation between key files: safe to call again, and after a crash in between.
 * @returns whether the next key file has become the key file
 */
export const promoteNextMasterKey = (dataDir: string, active: string): boolean => {
  const next = nextMasterKeyFile(dataDir);
  if (!existsSync(next) || readMasterKey(next).fingerprint !== active) return false;
  renameDurably(next, masterKeyFile(dataDir));
  return true;
};

const readMasterKey = (file: string): MasterKey => masterKeyOf(readFileSync(file, 'utf8').trim(), file);

const masterKeyOf = (text: string, where: string): MasterKey => {
  const secret = Buffer.from(text, 'base64');
  if (secret.length !== KEY_BYTES || secret.toString('base64') !== text)
    throw new HubError(
      'KEY_VAULT.MASTER_KEY_INVALID',
      `${where} holds no key: it must be 32 random bytes in base64, 44 characters. Restore it from its backup.`,
    );
  return new MasterKey(secret);
};

const missing = (file: string): HubError =>
  new HubError(
    'KEY_VAULT.MASTER_KEY_MISSING',
    `the master key is missing: HILO_MASTER_KEY is not set, and there is no ${file}. ${LOST} ` +
      'Set HILO_MASTER_KEY, or restore the file from its backup.',
  );
