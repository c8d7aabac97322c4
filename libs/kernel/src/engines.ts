import { messageOf } from './errors.js';
import { readSettings, type HubSettings } from './settings.js';

const ENGINES = {
  busUrl: 'HILO_BUS_URL',
  eventStoreUrl: 'HILO_EVENT_STORE_URL',
  readModelUrl: 'HILO_READ_MODEL_URL',
} as const satisfies Partial<Record<keyof HubSettings, string>>;

/**
 * Ends a program that is one part of the line with exit code 1 and a line per engine that cannot join it to the others.
 * Embedded engines live inside one program. Kafka alone does not make parts of the line: keys and log are not shared yet.
 */
export const refuseWithoutSharedEngines = (
  env: Readonly<Record<string, string | undefined>>,
  program: string,
  needed: readonly (keyof typeof ENGINES)[],
): void => {
  let lines: string[];
  try {
    const settings = readSettings(env);
    lines = needed.map((field) => {
      const scheme = /^[^:]*/.exec(settings[field])![0];
      return ['embedded', 'sqlite', 'memory'].includes(scheme)
        ? `${ENGINES[field]}: ${scheme}: works inside one program only, and ${program} is a part of the line; run apps/hub instead`
        : `${ENGINES[field]}: ${program} cannot join the others over ${scheme}: in this release; run apps/hub instead`;
    });
  } catch (error) {
    lines = messageOf(error).split('\n');
  }
  for (const line of lines) process.stderr.write(`hilo ${program}: ${line}\n`);
  process.exitCode = 1;
};
