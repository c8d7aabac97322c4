import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/**
 * One JSON line per record on stderr (stdout belongs to the program's answer). Only allow-listed fields are logged by
 * the callers; never bodies, identifiers or credentials.
 */
export const createLogger = (level: string, program: string): Logger =>
  pino(
    { level, base: { program }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: false }),
  );

/** A logger that says nothing. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
