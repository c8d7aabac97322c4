import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { SystemClock, type Clock } from '#libs/kernel';
import { type Logger } from '#libs/kernel/logging.js';
import { AccessGuard } from './access.guard.js';
import { ApiKeys } from './api-keys.port.js';
import type { BearerTokens } from './bearer-tokens.port.js';
import { ProblemFilter } from './problem.filter.js';
import { TokenBuckets } from './token-bucket.js';

export interface AccessOptions {
  keys: ApiKeys;
  /** Tokens of an OpenID provider; unset: API keys alone. */
  tokens?: BearerTokens;
  logger: Logger;
  /** Requests a second per caller, counted in this process; unset: no quota. */
  rateLimit?: number;
  clock?: Clock;
}

/** Guards every route of the program and gives every failure its form. Exports `ApiKeys`. */
@Module({})
export class AccessModule {
  static register({ keys, tokens, logger, rateLimit, clock = new SystemClock() }: AccessOptions): DynamicModule {
    const quota = rateLimit === undefined ? undefined : new TokenBuckets(rateLimit, clock);
    return {
      module: AccessModule,
      global: true,
      providers: [
        { provide: ApiKeys, useValue: keys },
        { provide: APP_GUARD, useFactory: () => new AccessGuard(keys, logger, quota, tokens) },
        { provide: APP_FILTER, useFactory: () => new ProblemFilter(logger) },
      ],
      exports: [ApiKeys],
    };
  }
}
