import type { LoggerService } from '@nestjs/common';
import type { Logger } from '#libs/kernel/logging.js';

/** Lets what logs by Nest's logger (listeners, the framework itself) write the program's JSON lines. */
export const nestLogger = (logger: Logger): LoggerService => {
  const to =
    (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      const context = rest.at(-1);
      logger[level](typeof context === 'string' ? { context } : {}, String(message));
    };
  return {
    log: to('info'),
    warn: to('warn'),
    error: to('error'),
    fatal: to('fatal'),
    debug: to('debug'),
    verbose: to('debug'),
  };
};
