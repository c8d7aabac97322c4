import type { Uuid, UuidSet } from '#libs/kernel';

/** The live key of an identity. */
export interface DataKey {
  /** From 1; an identity whose key was destroyed gets the next number with its next key. At most 65535. */
  readonly version: number;
  /** 32 bytes, for AES-256-GCM. Never written, never logged. */
  readonly secret: Buffer;
}

/** An id that an erasure has ended. */
export interface ErasedId {
  id: Uuid;
  /** Whether there was a key, which is destroyed now; an identity under which nothing was sealed had none. */
  keyDestroyed: boolean;
}

/** An erasure that was begun. */
export interface BegunErasure {
  erasure: Uuid;
  tenant: string;
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
 * - an erased id gets no key ever again, in no process that opens the vault later;
 * - keys are kept wrapped by the master key, and in memory only in a cache with a bound.
 */
export abstract class KeyVault {
  /** Tells this vault from every other. */
  abstract readonly id: string;

  /** The live key, if it lies in memory. */
  abstract cached(identity: Uuid): DataKey | undefined;

  /** What was erased. Of another process's erasures it may know those alone that were there when it was opened. */
  abstract readonly erased: UuidSet;

  /**
   * The live keys of these identities; those that have none get one, and those that were erased are absent.
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

  /** Notes that an erasure begins, so that one that did not come to its end is found again. */
  abstract beginErasure(begun: BegunErasure): Promise<void>;

  /** Ends ids for good, whether they have a key or not, and destroys the keys they have. Durable; may be said again. */
  abstract erase(erasure: Uuid, ids: Iterable<Uuid>): Promise<void>;

  /** Everything that an erasure has ended, in the order of the ids. */
  abstract erasedBy(erasure: Uuid): Promise<ErasedId[]>;

  abstract endErasure(erasure: Uuid): Promise<void>;

  /** Erasures that were begun and not ended. */
  abstract openErasures(): Promise<BegunErasure[]>;

  abstract close(): Promise<void>;
}
