import type { DynamicModule } from '@nestjs/common';
import type { BearerTokens } from '#libs/access';
import { AccessModule } from '#libs/access/access.module.js';
import { oidcOptionsOf } from '#libs/access/oidc/oidc.config.js';
import type { Clock } from '#libs/kernel';
import type { Logger } from '#libs/kernel/logging.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import type { ProgramParts } from './parts.js';

/** What guards every route of a program. */
export const accessModule = ({
  keys,
  tokens,
  logger,
  clock,
  settings: { rateLimit },
}: Pick<ProgramParts, 'keys' | 'tokens' | 'logger' | 'clock' | 'settings'>): DynamicModule =>
  AccessModule.register({
    keys,
    logger,
    clock,
    ...(tokens === undefined ? {} : { tokens }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
  });

/** The tokens of the OpenID provider that the settings name; only who takes tokens pays for the loading of jose. */
export const openTokens = async (
  settings: HubSettings,
  clock: Clock,
  logger: Logger,
): Promise<{ tokens?: BearerTokens }> => {
  const oidc = oidcOptionsOf(settings);
  if (oidc === undefined) return {};
  const { OidcBearerTokens } = await import('#libs/access/oidc/oidc.bearer-tokens.js');
  return { tokens: new OidcBearerTokens(oidc, clock, logger) };
};
