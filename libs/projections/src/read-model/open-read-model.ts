import { join } from 'node:path';
import { HubError } from '#libs/kernel';
import { checkPostgresUrl } from '#libs/kernel/postgres.js';
import { type HubSettings } from '#libs/kernel/settings.js';
import type { ReadModelHome } from './read-model-home.port.js';
import type { ReadModel } from './read-model.port.js';
import { SqliteReadModelHome } from './sqlite/sqlite.read-model-home.js';

/** File of the embedded read model in the data directory. */
export const READ_MODEL_FILE = 'read-model.db';

type ReadModelSettings = Pick<HubSettings, 'readModelUrl' | 'dataDir'>;

/**
 * Where the read model is that `HILO_READ_MODEL_URL` names.
 * @throws HubError `SETTINGS.INVALID`
 */
export const openReadModelHome = async ({ readModelUrl, dataDir }: ReadModelSettings): Promise<ReadModelHome> => {
  checkReadModelUrl(readModelUrl);
  if (readModelUrl === 'sqlite:') return new SqliteReadModelHome(join(dataDir, READ_MODEL_FILE));
  const { PostgresReadModelHome } = await import('./postgres/postgres.read-model-home.js');
  return new PostgresReadModelHome(readModelUrl);
};

/** @throws HubError `SETTINGS.INVALID`, `READ_MODEL.UNAVAILABLE` (retryable) */
export const openReadModel = async (
  settings: ReadModelSettings,
  options: { readonly?: boolean } = {},
): Promise<ReadModel> => (await openReadModelHome(settings)).open(options);

/** @throws HubError `SETTINGS.INVALID` for an engine this release does not have, or an address that cannot be used. */
export const checkReadModelUrl = (url: string): void => {
  if (url === 'sqlite:') return;
  if (!/^postgres(ql)?:/.test(url))
    throw new HubError(
      'SETTINGS.INVALID',
      'HILO_READ_MODEL_URL: the scheme is unknown; allowed are sqlite: and postgres://user:password@host/database',
    );
  checkPostgresUrl(url, 'HILO_READ_MODEL_URL');
};
