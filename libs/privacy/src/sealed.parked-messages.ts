import { hash, randomUUID } from 'node:crypto';
import {
  ParkedMessages,
  type ListParkedOptions,
  type NewParkedMessage,
  type ParkedCount,
  type ParkedMessage,
  type ParkedSummary,
} from '#libs/event-store';
import { ERASED } from '#libs/domain';
import { bytesOfUuid, toInstant, uuidOfBytes, type Clock, type Uuid } from '#libs/kernel';
import { seal, unseal } from './seal/cipher.js';
import { storeUnavailable } from './vault/key-vault.errors.js';
import type { DataKey, KeyVault } from './vault/key-vault.port.js';

// Sealed bytes: these, the key's id (16), its version (2), IV, tag, ciphertext. What was parked before is in clear.
const MARK = Buffer.from('\u0000hilo sealed 1\u0000\n');
const HEADER_BYTES = MARK.length + 18;

/**
 * The id under which the vault keeps the key of what was parked in the month of an instant (UTC): destroying it ends
 * the retention of that month.
 */
export const parkedKeyId = (ms: number): Uuid => {
  const bytes = hash('sha256', `hilo parked messages ${toInstant(ms).slice(0, 7)}`, 'buffer');
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidOfBytes(bytes);
};

/** Parked messages whose bytes are sealed: nobody knows whom they are about, so their key is that of their month. */
export class SealedParkedMessages extends ParkedMessages {
  constructor(
    private readonly inner: ParkedMessages,
    private readonly vault: KeyVault,
    private readonly clock: Clock,
  ) {
    super();
  }

  async park(message: NewParkedMessage): Promise<Uuid> {
    const id = message.id ?? randomUUID();
    const keyId = parkedKeyId(this.clock.nowMs());
    const key = await this.keyOf(keyId);
    const header = Buffer.concat([MARK, bytesOfUuid(keyId), Buffer.from([key.version >> 8, key.version & 0xff])]);
    const bytes = seal(key.secret, boundTo(message.tenant, id), message.bytes, header);
    return this.inner.park({ ...message, id, bytes });
  }

  list(options: ListParkedOptions): Promise<ParkedSummary[]> {
    return this.inner.list(options);
  }

  /**
   * The message with its bytes as they came, or `erased` where their key is destroyed.
   * @throws HubError `PRIVACY.SEAL_BROKEN`
   */
  async get(id: Uuid): Promise<ParkedMessage | undefined> {
    const message = await this.inner.get(id);
    if (!message || !message.bytes.subarray(0, MARK.length).equals(MARK)) return message;
    return { ...message, bytes: await this.open(message) };
  }

  markReplayed(id: Uuid, outcome: string): Promise<void> {
    return this.inner.markReplayed(id, outcome);
  }

  discard(id: Uuid, by: string, reason: string): Promise<void> {
    return this.inner.discard(id, by, reason);
  }

  purge(id: Uuid, by: string, reason: string): Promise<boolean> {
    return this.inner.purge(id, by, reason);
  }

  count(tenant?: string): Promise<ParkedCount[]> {
    return this.inner.count(tenant);
  }

  private async keyOf(keyId: Uuid): Promise<DataKey> {
    try {
      return this.vault.cached(keyId) ?? (await this.vault.obtain([keyId])).get(keyId)!;
    } catch (error) {
      throw storeUnavailable(error);
    }
  }

  private async open({ id, tenant, bytes }: ParkedMessage): Promise<Buffer> {
    const keyId = uuidOfBytes(bytes.subarray(MARK.length, MARK.length + 16));
    const key = (await this.vault.find([keyId])).get(keyId);
    if (key?.version !== bytes.readUInt16BE(MARK.length + 16)) return Buffer.from(ERASED);
    return unseal(key.secret, boundTo(tenant, id), bytes, HEADER_BYTES);
  }
}

const boundTo = (tenant: string, id: Uuid): string => `hilo parked message\0${tenant}\0${id}`;
