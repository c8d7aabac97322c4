import { createSecretKey, hash } from 'node:crypto';
import { bytesOfUuid, uuidOfBytes, type Clock, type Uuid } from '#libs/kernel';
import { storeUnavailable } from '../vault/key-vault.errors.js';
import type { DataKey, KeyVault } from '../vault/key-vault.port.js';
import { seal, unseal } from './cipher.js';

// Sealed bytes: these, the key's id (16), its version (2), IV, tag, ciphertext.
const MARK = Buffer.from('\u0000hilo sealed 1\u0000\n');
const HEADER_BYTES = MARK.length + 18;

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
    const keyId = uuidOfBytes(sealed.subarray(MARK.length, MARK.length + 16));
    const key = (await this.vault.find([keyId])).get(keyId);
    if (sealed.length < HEADER_BYTES || key?.version !== sealed.readUInt16BE(MARK.length + 16)) return undefined;
    return unseal(key.secret, bound, sealed, HEADER_BYTES);
  }

  private async keyOf(keyId: Uuid): Promise<DataKey> {
    try {
      return this.vault.cached(keyId) ?? (await this.vault.obtain([keyId])).get(keyId)!;
    } catch (error) {
      throw storeUnavailable(error);
    }
  }
}
