import type { Uuid } from '#libs/kernel';

/** The live key of an identity. */
export interface DataKey {
  /** From 1; an identity whose key was destroyed gets the next number with its next key. At most 65535. */
  readonly version: number;
  /** 32 bytes, for AES-256-GCM. Never written, never logged. */
  readonly secret: Buffer;
}

/**
 * The data keys, one live key per identity at a time. Whatever else needs a key of its own (a link, the parked
 * messages of a month) names it by a UUID in the same way.
 *
 * Promises of every adapter (checked by `key-vault.contract.ts`):
 * - `obtain` resolves when the keys are durable, so that nothing is ever sealed with a key that a crash can take;
 * - the same identity has the same key for ever, in every process that opens the vault, until it is destroyed;
 * - `destroy` resolves when no file of the vault holds the key any more, wrapped or not; a key made later for the same
 *   identity is another one under a higher version;
 * - keys are kept wrapped by the master key, and in memory only in a cache with a bound.
 */
export abstract class KeyVault {
  /** Tells this vault from every other. */
  abstract readonly id: string;

  /** The live key, if it lies in memory. */
  abstract cached(identity: Uuid): DataKey | undefined;

  /**
   * The live keys of these identities; those that have none get one.
   * @throws HubError `KEY_VAULT.UNAVAILABLE`, retryable: nothing can be written, and no key was handed out
   */
  abstract obtain(identities: Iterable<Uuid>): Promise<ReadonlyMap<Uuid, DataKey>>;

  /** The live keys of these identities; those that were destroyed, or never made, are absent. */
  abstract find(identities: Iterable<Uuid>): Promise<ReadonlyMap<Uuid, DataKey>>;

  /**
   * Destroys the live key of an identity: what was sealed with it can never be read again, by nobody.
   * @returns whether there was one
   * @throws HubError `KEY_VAULT.UNAVAILABLE`, retryable
   */
  abstract destroy(identity: Uuid): Promise<boolean>;

  abstract close(): Promise<void>;
}
