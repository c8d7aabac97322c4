import type { HubSettings } from '#libs/kernel/settings.js';

/** Whose tokens are taken, and what is read from them. */
export interface OidcOptions {
  /** Compared with `iss` character by character. */
  issuer: string;
  /** Must be among `aud`. */
  audience: string;
  /** Where the keys are; unset: what the issuer's discovery document says. */
  jwksUrl?: string;
  /** Accepted signatures; asymmetric ones only. */
  algorithms: readonly string[];
  /** Claims; a name with dots that is no claim leads into objects: `realm_access.roles`. */
  tenantClaim: string;
  rolesClaim: string;
  scopesClaim: string;
  /** Seconds after its issue for which a token is taken, whatever its expiry. */
  maxTokenAgeSeconds: number;
}

/** The provider that the settings name, undefined where they name none. They are valid already. */
export const oidcOptionsOf = (settings: HubSettings): OidcOptions | undefined => {
  const { oidcIssuer, oidcAudience, oidcJwksUrl } = settings;
  if (oidcIssuer === undefined || oidcAudience === undefined) return undefined;
  return {
    issuer: oidcIssuer,
    audience: oidcAudience,
    ...(oidcJwksUrl === undefined ? {} : { jwksUrl: oidcJwksUrl }),
    algorithms: settings.oidcAlgorithms.split(','),
    tenantClaim: settings.oidcTenantClaim,
    rolesClaim: settings.oidcRolesClaim,
    scopesClaim: settings.oidcScopesClaim,
    maxTokenAgeSeconds: settings.oidcMaxTokenAgeSeconds,
  };
};
