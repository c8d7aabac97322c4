import { join } from 'node:path';
import { HubError } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import { SqliteReadModel } from './sqlite/sqlite.read-model.js';

/** File of the embedded read model in the data directory. */
export const READ_MODEL_FILE = 'read-model.db';

/**
 * The read model that `HILO_READ_MODEL_URL` names.
 * @throws HubError `SETTINGS.INVALID` for an engine this release does not have.
 */
export const openReadModel = (settings: HubSettings, options: { readonly?: boolean } = {}): SqliteReadModel => {
  checkReadModelUrl(settings.readModelUrl);
  return SqliteReadModel.open({ file: join(settings.dataDir, READ_MODEL_FILE), ...options });
};

/** @throws HubError `SETTINGS.INVALID` */
export const checkReadModelUrl = (url: string): void => {
  if (url === 'sqlite:') return;
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(url)?.[1];
  throw new HubError(
    'SETTINGS.INVALID',
    scheme === 'postgres' || scheme === 'postgresql'
      ? 'HILO_READ_MODEL_URL: the engine postgres is not part of this release; use sqlite:'
      : 'HILO_READ_MODEL_URL: the scheme is unknown; allowed is sqlite:',
  );
};
