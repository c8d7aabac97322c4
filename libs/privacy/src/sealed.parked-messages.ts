import { randomUUID } from 'node:crypto';
import {
  ParkedMessages,
  type ListParkedOptions,
  type NewParkedMessage,
  type ParkedCount,
  type ParkedMessage,
  type ParkedSummary,
} from '#libs/event-store';
import { ERASED } from '#libs/domain';
import { toInstant, type Clock, type Uuid } from '#libs/kernel';
import { PeriodSeal, namedKeyId } from './seal/period-seal.js';
import type { KeyVault } from './vault/key-vault.port.js';

/**
 * The id under which the vault keeps the key of what was parked in the month of an instant (UTC): destroying it ends
 * the retention of that month.
 */
export const parkedKeyId = (ms: number): Uuid => namedKeyId(`hilo parked messages ${toInstant(ms).slice(0, 7)}`);

/** Parked messages whose bytes are sealed: nobody knows whom they are about, so their key is that of their month. */
export class SealedParkedMessages extends ParkedMessages {
  private readonly seal: PeriodSeal;

  constructor(
    private readonly inner: ParkedMessages,
    vault: KeyVault,
    clock: Clock,
  ) {
    super();
    this.seal = new PeriodSeal(vault, clock, parkedKeyId);
  }

  async park(message: NewParkedMessage): Promise<Uuid> {
    const id = message.id ?? randomUUID();
    const seal = await this.seal.now();
    return this.inner.park({ ...message, id, bytes: seal(boundTo(message.tenant, id), message.bytes) });
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
    // What was parked before there was a seal is in clear.
    if (!message || !this.seal.isSealed(message.bytes)) return message;
    const opened = await this.seal.open(boundTo(message.tenant, id), message.bytes);
    return { ...message, bytes: opened ?? Buffer.from(ERASED) };
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
}

const boundTo = (tenant: string, id: Uuid): string => `hilo parked message\0${tenant}\0${id}`;
