import { randomUUID } from 'node:crypto';
import { SystemClock, type Clock, type Uuid } from '#libs/kernel';
import { notParked } from './parked-messages.errors.js';
import {
  ParkedMessages,
  type ListParkedOptions,
  type NewParkedMessage,
  type ParkedCount,
  type ParkedMessage,
  type ParkedSummary,
} from './parked-messages.port.js';

export class MemoryParkedMessages extends ParkedMessages {
  /** In the order they were first parked. */
  private readonly messages = new Map<Uuid, ParkedMessage>();

  constructor(private readonly clock: Clock = new SystemClock()) {
    super();
  }

  async park(message: NewParkedMessage): Promise<Uuid> {
    const id = message.id ?? randomUUID();
    const known = this.messages.get(id);
    if (known) {
      known.attempts += 1;
      if (known.status === 'replayed') known.status = 'parked';
    } else {
      const bytes = Buffer.from(message.bytes);
      this.messages.set(id, { ...message, id, bytes, attempts: 1, parkedAtMs: this.clock.nowMs(), status: 'parked' });
    }
    return id;
  }

  async list({ tenant, status, receipt, before, limit }: ListParkedOptions): Promise<ParkedSummary[]> {
    const all = [...this.messages.values()];
    const end = before === undefined ? all.length : all.findIndex(({ id }) => id === before);
    return all
      .slice(0, Math.max(end, 0))
      .toReversed()
      .filter((m) => tenant === undefined || m.tenant === tenant)
      .filter((m) => status === undefined || m.status === status)
      .filter((m) => receipt === undefined || m.receipt === receipt)
      .slice(0, limit)
      .map(({ bytes: _, ...summary }) => summary);
  }

  async get(id: Uuid): Promise<ParkedMessage | undefined> {
    const message = this.messages.get(id);
    return message && { ...message };
  }

  async markReplayed(id: Uuid, outcome: string): Promise<void> {
    Object.assign(this.parked(id), { status: 'replayed', outcome });
  }

  async discard(id: Uuid, by: string, reason: string): Promise<void> {
    Object.assign(this.parked(id), { status: 'discarded', discardedBy: by, discardReason: reason });
  }

  async purge(id: Uuid, by: string, reason: string): Promise<boolean> {
    const message = this.messages.get(id);
    if (!message || message.bytes.length === 0) return false;
    message.bytes = Buffer.alloc(0);
    if (message.status === 'parked')
      Object.assign(message, { status: 'discarded', discardedBy: by, discardReason: reason });
    return true;
  }

  async count(tenant?: string): Promise<ParkedCount[]> {
    const counts = new Map<string, ParkedCount>();
    for (const { tenant: owner, channel, account, status } of this.messages.values()) {
      if (tenant !== undefined && owner !== tenant) continue;
      const key = JSON.stringify([owner, channel, account]);
      const count = counts.get(key) ?? { tenant: owner, channel, account, parked: 0, replayed: 0, discarded: 0 };
      count[status] += 1;
      counts.set(key, count);
    }
    return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
  }

  private parked(id: Uuid): ParkedMessage {
    const message = this.messages.get(id);
    if (message?.status !== 'parked') throw notParked(id, message?.status);
    return message;
  }
}
