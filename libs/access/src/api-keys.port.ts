import type { Instant } from '#libs/kernel';
import type { Caller, Role, Scope } from './caller.js';

/** What is known of a key; the key itself is stored nowhere. */
export interface ApiKeyRecord {
  /** The public part of the key, 8 characters. */
  id: string;
  tenant: string;
  role: Role;
  scopes: readonly Scope[];
  label?: string;
  createdAt: Instant;
  expiresAt?: Instant;
  revokedAt?: Instant;
  /** When it was last used, to the minute. */
  lastUsedAt?: Instant;
  /** The key that took its place. */
  replacedBy?: string;
}

export interface NewApiKey {
  /** Letters, digits, `.`, `_`, `-`; at most 64. */
  tenant: string;
  role: Role;
  /** @default those of the role: `pii` for agent, supervisor and admin */
  scopes?: readonly Scope[];
  /** What it is for, at most 200 characters. */
  label?: string;
  /** Stops working then; unset: never. */
  expiresAt?: Instant;
}

export interface Rotation {
  /** How long the old key goes on working beside the new one, 0 to 90 days; never longer than it would have. */
  overlapMs: number;
  /** When the new key stops working; unset: never. */
  expiresAt?: Instant;
}

/** Longest time for which two keys may work side by side. */
export const MAX_OVERLAP_MS = 90 * 86_400_000;

/** A key that was just made: the only moment its text exists. */
export interface CreatedApiKey extends ApiKeyRecord {
  key: string;
}

/**
 * The credentials of the hub: `hilo_<id>_<32 random bytes, base64url>`, of which only a SHA-256 is kept.
 *
 * A new key works at once, in every process; a revoked or expired one stops working within `VERIFIED_FOR_MS`.
 */
export abstract class ApiKeys {
  /** The caller a key stands for, or undefined. Called on every request; throws `ACCESS.UNAVAILABLE` (retryable) when the keys cannot be read. */
  abstract verify(key: string): Caller | undefined | Promise<Caller | undefined>;

  /** @throws HubError `ACCESS.INVALID` for a tenant, role, scope, label or expiry that cannot be. */
  abstract create(wanted: NewApiKey): Promise<CreatedApiKey>;

  /** All keys, or a tenant's, oldest first. */
  abstract list(tenant?: string): Promise<ApiKeyRecord[]>;

  /**
   * Makes a new key of the same tenant, role, scopes and label, and lets the old one end after the overlap.
   * @throws HubError `API_KEY.NOT_FOUND`; `ACCESS.INVALID` for a key that no longer works or was rotated before, an
   * overlap out of bounds and an expiry that cannot be.
   */
  abstract rotate(id: string, rotation: Rotation): Promise<CreatedApiKey>;

  /** Revokes a key for ever. @throws HubError `API_KEY.NOT_FOUND`. */
  abstract revoke(id: string): Promise<ApiKeyRecord>;

  abstract close(): Promise<void>;
}

/** How long a verified key is trusted without a look at the store. */
export const VERIFIED_FOR_MS = 30_000;
