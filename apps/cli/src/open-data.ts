import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { eventsFileOf, isServerUrl, openEventsFileReader } from '#libs/event-store/open-event-store.js';
import { DataDirectory, type DataDirectoryOwner } from '#libs/event-store/data-directory.js';
import type { SqliteEventLogReader } from '#libs/event-store/sqlite/sqlite.event-log-reader.js';
import { SystemClock } from '#libs/kernel';
import { HubSettings, readSettings } from '#libs/kernel/settings.js';
import type { SealedEventLog } from '#libs/privacy';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import { failure } from './errors.js';

/** Options of every command. */
export interface GlobalOptions {
  dataDir?: string;
}

/**
 * The settings of the environment, with what the command line says instead.
 * @throws HubError `SETTINGS.INVALID`
 */
export const settingsFrom = ({ dataDir }: GlobalOptions, also: Record<string, string | undefined> = {}): HubSettings =>
  readSettings({
    ...process.env,
    ...Object.fromEntries(Object.entries(also).filter(([, value]) => value !== undefined)),
    ...(dataDir !== undefined && { HILO_DATA_DIR: dataDir }),
  });

/** Whether the data lies on servers that several programs share, and not in the data directory. */
export const isShared = ({ eventStoreUrl }: HubSettings): boolean => isServerUrl(eventStoreUrl);

/** @throws HubError when the directory has no log yet. */
export const requireData = (settings: HubSettings): void => {
  if (settings.eventStoreUrl !== 'sqlite:' || existsSync(eventsFileOf(settings))) return;
  throw failure(
    `--data-dir: ${resolve(settings.dataDir)} holds no data; name the directory of a hub, or fill this one with hilo import`,
  );
};

/**
 * A reader of the log, beside a hub that runs or rests; events come open.
 * @throws HubError when there is nothing to read, or no key to read it with
 */
export const openLog = (settings: HubSettings): Promise<SealedEventLog> => {
  requireData(settings);
  return openSealedEventLog(settings, {
    // Only a log on a server has its keys there.
    vault: async (options) => {
      const { vaultOf } = await import('../../shared/src/open-cluster.js');
      return vaultOf(settings, new SystemClock())(options);
    },
  });
};

/**
 * The same without keys: for what looks at clear fields only, and at what else lies in the file.
 * @throws HubError when there is nothing to read
 */
export const openSealedFile = (settings: HubSettings): SqliteEventLogReader => {
  requireData(settings);
  return openEventsFileReader(settings);
};

/** Who uses the directory now, as `hub (process 12, http://localhost:3000)`. */
export const ownerText = ({ program, pid, url }: DataDirectoryOwner): string =>
  `${program} (process ${[String(pid), ...(url === undefined ? [] : [url])].join(', ')})`;

/** @throws HubError while a program has the directory: `why` says what needs it alone. */
export const requireUnowned = (settings: HubSettings, why: string): void => {
  const owner = DataDirectory.owner(settings.dataDir);
  if (owner) throw failure(`${resolve(settings.dataDir)} is in use by ${ownerText(owner)}; ${why}: stop it first`);
};
