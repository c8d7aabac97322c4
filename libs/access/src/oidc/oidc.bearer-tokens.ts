import { decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose';
import { codeOf, LruMap, type Clock } from '#libs/kernel';
import type { Logger } from '#libs/kernel/logging.js';
import { VERIFIED_FOR_MS } from '../api-keys.port.js';
import { BearerTokens } from '../bearer-tokens.port.js';
import { ROLES, SCOPES, scopesOfRole, type Caller } from '../caller.js';
import { isTenant } from '../tenant.js';
import type { OidcOptions } from './oidc.config.js';
import { ProviderKeys } from './provider-keys.js';

const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_TOKEN_CHARS = 8192;
const CACHED_TOKENS = 1000;
const REFUSED_FOR_MS = 1000;
const WARN_EVERY_MS = 60_000;

const tokenForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** What a token may call itself: a JWT or an access token, not one that ends a session. */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
/** Headers that bring a key along: whoever made the token would choose what it is checked with. */
const BROUGHT_KEYS = ['jku', 'jwk', 'x5u', 'x5c'];

interface Verified {
  caller: Caller;
  untilMs: number;
}

/** Access tokens of one OpenID Connect provider. */
export class OidcBearerTokens extends BearerTokens {
  private readonly keys: ProviderKeys;
  private readonly verified = new LruMap<string, Verified>(CACHED_TOKENS);
  private readonly refused = new LruMap<string, number>(CACHED_TOKENS);
  private warnedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: OidcOptions,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    super();
    this.keys = new ProviderKeys({ ...options, clock });
  }

  verify(token: string): Caller | undefined | Promise<Caller | undefined> {
    const nowMs = this.clock.nowMs();
    const known = this.verified.get(token);
    if (known !== undefined) {
      if (nowMs < known.untilMs) return known.caller;
      this.verified.delete(token);
    }
    if (token.length > MAX_TOKEN_CHARS || !tokenForm.test(token)) return undefined;
    const refusedUntilMs = this.refused.get(token);
    if (refusedUntilMs !== undefined && nowMs < refusedUntilMs) return undefined;
    return this.check(token, nowMs);
  }

  private async check(token: string, nowMs: number): Promise<Caller | undefined> {
    try {
      const header = decodeProtectedHeader(token);
      if (BROUGHT_KEYS.some((name) => name in header)) throw refusal('OIDC.KEY_BROUGHT_ALONG');
      if (header.typ !== undefined && !TYPES.has(header.typ.toLowerCase())) throw refusal('OIDC.TOKEN_TYPE');
      const { issuer, audience, algorithms, maxTokenAgeSeconds } = this.options;
      const { payload } = await jwtVerify(token, await this.keys.get(), {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        maxTokenAge: maxTokenAgeSeconds,
        currentDate: new Date(nowMs),
      });
      const caller = this.callerOf(payload);
      this.verified.set(token, { caller, untilMs: this.trustedUntilMs(payload, nowMs) });
      return caller;
    } catch (error) {
      // Whatever is wrong, with the token or with the provider, nobody is known to be calling.
      this.refused.set(token, nowMs + REFUSED_FOR_MS);
      this.tell(codeOf(error) ?? 'OIDC.UNREADABLE', nowMs);
      return undefined;
    }
  }

  private trustedUntilMs({ exp, iat }: JWTPayload, nowMs: number): number {
    const endsSeconds = Math.min(exp!, iat! + this.options.maxTokenAgeSeconds);
    return Math.min(nowMs + VERIFIED_FOR_MS, endsSeconds * 1000);
  }

  private callerOf(payload: JWTPayload): Caller {
    const { sub } = payload;
    if (sub === undefined || sub.length === 0 || sub.length > 255 || /\p{Cc}/u.test(sub)) throw refusal('OIDC.SUBJECT');
    const tenant = claim(payload, this.options.tenantClaim);
    if (typeof tenant !== 'string' || !isTenant(tenant)) throw refusal('OIDC.TENANT');
    const named = new Set(listOf(claim(payload, this.options.rolesClaim)));
    const roles = ROLES.filter((role) => named.has(role));
    const granted = new Set(listOf(claim(payload, this.options.scopesClaim)));
    const scopes = new Set([...roles.flatMap(scopesOfRole), ...SCOPES.filter((scope) => granted.has(scope))]);
    return Object.freeze({ tenant, roles, pii: scopes.has('pii'), keyId: `user:${sub}` });
  }

  // Operators need to know that a provider is down, not each caller with an old token; nothing of the token is told.
  private tell(reason: string, nowMs: number): void {
    if (reason === 'OIDC.UNAVAILABLE' && nowMs - this.warnedMs >= WARN_EVERY_MS) {
      this.warnedMs = nowMs;
      this.logger.warn({ reason }, 'tokens are refused: the OpenID provider cannot be asked for its keys');
    } else this.logger.debug({ reason }, 'token refused');
  }
}

const refusal = (code: string): Error => Object.assign(new Error(code), { code });

/** A claim by its name, or by a path of names with dots between them. */
const claim = (payload: JWTPayload, name: string): unknown => {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name
    .split('.')
    .reduce<unknown>(
      (value, part) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined,
      payload,
    );
};

/** Names in a list, or in a text with spaces between them, as providers write either. */
const listOf = (value: unknown): string[] => {
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
};
