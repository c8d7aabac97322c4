import { messageOf } from './errors.js';
import { readSettings, type HubSettings } from './settings.js';

const ENGINES = {
  busUrl: 'HILO_BUS_URL',
  eventStoreUrl: 'HILO_EVENT_STORE_URL',
  readModelUrl: 'HILO_READ_MODEL_URL',
} as const satisfies Partial<Record<keyof HubSettings, string>>;

/** Why a hub cannot run on EventStoreDB yet. */
export const EVENTSTOREDB_ALONE =
  'keeps events, but parked messages, the delivery ledger, the keys and the pepper have no home beside it in this release';

/**
 * Ends a program that is one part of the line with exit code 1 and a line per engine that cannot join it to the others.
 * Embedded engines live inside one program; shared ones are not part of this release.
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
      return `${ENGINES[field]}: ${problemOf(scheme, program)}; run apps/hub instead`;
    });
  } catch (error) {
    lines = messageOf(error).split('\n');
  }
  for (const line of lines) process.stderr.write(`hilo ${program}: ${line}\n`);
  process.exitCode = 1;
};

const problemOf = (scheme: string, program: string): string => {
  if (['embedded', 'sqlite', 'memory'].includes(scheme))
    return `${scheme}: works inside one program only, and ${program} is a part of the line`;
  return scheme.startsWith('esdb')
    ? `${scheme}: ${EVENTSTOREDB_ALONE}`
    : `the engine ${scheme} is not part of this release`;
};
