import { HubError } from './errors.js';
import type { HubSettings } from './settings.js';

/** Engines that several programs can share, by the setting that names them. */
const SHARED = {
  busUrl: { variable: 'HILO_BUS_URL', schemes: ['kafka'], example: 'kafka://host:9092' },
  eventStoreUrl: {
    variable: 'HILO_EVENT_STORE_URL',
    schemes: ['esdb', 'esdb+discover'],
    example: 'esdb://user:password@host:2113',
  },
  readModelUrl: {
    variable: 'HILO_READ_MODEL_URL',
    schemes: ['postgres', 'postgresql'],
    example: 'postgres://user:password@host/database',
  },
  masterKey: { variable: 'HILO_MASTER_KEY' },
  pepper: { variable: 'HILO_PEPPER' },
} as const;

export type SharedSetting = keyof typeof SHARED;

/**
 * That a program which is one part of the line can meet the others.
 * @throws HubError `SETTINGS.INVALID`, a line for each setting that is in the way
 */
export const requireSharedEngines = (
  settings: HubSettings,
  program: string,
  needed: readonly SharedSetting[],
): void => {
  const problems = needed.flatMap((field) => {
    const setting = SHARED[field];
    const value = settings[field];
    if (!('schemes' in setting))
      return value === undefined ? [`${setting.variable}: is needed by ${program}: all programs have the same`] : [];
    const scheme = /^[^:]*/.exec(value!)![0];
    return setting.schemes.some((shared) => shared === scheme)
      ? []
      : [
          `${setting.variable}: ${scheme}: works inside one program only, and ${program} is a part of the line; ` +
            `name a shared engine, ${setting.example}, or run apps/hub instead`,
        ];
  });
  if (problems.length > 0) throw new HubError('SETTINGS.INVALID', problems.join('\n'));
};
