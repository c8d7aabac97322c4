import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { bytesOfUuid, uuidOfBytes, type Clock, type Uuid } from '#libs/kernel';
import { storeUnavailable } from '../vault/key-vault.errors.js';
import type { DataKey, KeyVault } from '../vault/key-vault.port.js';
import { seal, unseal } from './cipher.js';

// Sealed bytes: these, the key's id (16), its version (2), IV, tag, ciphertext.
const MARK = Buffer.from('\u0000hilo sealed 1\u0000\n');
const HEADER_BYTES = MARK.length + 18;

/** Which key bytes are sealed with: its id and version, a character a byte. */
const keyNameOf = (sealed: Buffer): string => sealed.toString('latin1', MARK.length, HEADER_BYTES);

const keyIdIn = (keyName: Buffer): Uuid => uuidOfBytes(keyName.subarray(0, 16));

/** The id under which the vault keeps a key that is no identity's, told by its name. */
export const namedKeyId = (name: string): Uuid => {
  const bytes = hash('sha256', name, 'buffer');
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidOfBytes(bytes);
};

/** Seals with one key; what is sealed opens only under the same `bound`. */
export type SealBytes = (bound: string, plain: string | Buffer) => Buffer;

/**
 * What was sealed, or undefined where its key is destroyed.
 * @throws HubError `PRIVACY.SEAL_BROKEN`
 */
export type OpenBytes = (bound: string, sealed: Buffer) => Buffer | undefined;

/**
 * Seals messages of which nobody knows whom they are about: their key is that of the period in which they are sealed,
 * and destroying it ends the retention of that period.
 */
export class PeriodSeal {
  constructor(
    private readonly vault: KeyVault,
    private readonly clock: Clock,
    /** The key of the period that an instant (epoch milliseconds) lies in. */
    private readonly keyIdAt: (ms: number) => Uuid,
  ) {}

  /**
   * The seal of this moment, whose key is durable.
   * @throws HubError `EVENT_STORE.UNAVAILABLE`, retryable
   */
  async now(): Promise<SealBytes> {
    const keyId = this.keyIdAt(this.clock.nowMs());
    const key = await this.keyOf(keyId);
    const header = Buffer.concat([MARK, bytesOfUuid(keyId), Buffer.from([key.version >> 8, key.version & 0xff])]);
    const secret = createSecretKey(key.secret);
    return (bound, plain) => seal(secret, bound, plain, header);
  }

  /** Whether bytes are sealed, by their first ones. */
  isSealed(bytes: Buffer): boolean {
    return bytes.subarray(0, MARK.length).equals(MARK);
  }

  /**
   * What was sealed, or undefined where its key is destroyed.
   * @throws HubError `PRIVACY.SEAL_BROKEN`
   */
  async open(bound: string, sealed: Buffer): Promise<Buffer | undefined> {
    const open = await this.opener([sealed]);
    return open(bound, sealed);
  }

  /** Opens these, with one look at the vault for all of them. */
  async opener(all: readonly Buffer[]): Promise<OpenBytes> {
    const names = [...new Set(all.map(keyNameOf))].map((name) => ({ name, bytes: Buffer.from(name, 'latin1') }));
    const whole = names.filter(({ bytes }) => bytes.length === HEADER_BYTES - MARK.length);
    const keys = await this.vault.find(whole.map(({ bytes }) => keyIdIn(bytes)));
    const secrets = new Map<string, KeyObject>();
    for (const { name, bytes } of whole) {
      const key = keys.get(keyIdIn(bytes));
      if (key?.version === bytes.readUInt16BE(16)) secrets.set(name, createSecretKey(key.secret));
    }
    return (bound, sealed) => {
      const secret = secrets.get(keyNameOf(sealed));
      return secret && unseal(secret, bound, sealed, HEADER_BYTES);
    };
  }

  private async keyOf(keyId: Uuid): Promise<DataKey> {
    try {
      return this.vault.cached(keyId) ?? (await this.vault.obtain([keyId])).get(keyId)!;
    } catch (error) {
      throw storeUnavailable(error);
    }
  }
}
