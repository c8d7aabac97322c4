import type { Uuid } from '#libs/kernel';

/** Far more than a bus that answers its senders lets wait; beyond it the oldest are forgotten. */
const REMEMBERED = 20_000;

/**
 * Deliveries whose sender was told to send them again, by what they say. Some of them may be recorded all the same: a batch
 * is refused as a whole, and a server that did not answer may have stored what it was given.
 */
export class RefusedDeliveries {
  private readonly commands = new Map<string, Uuid[]>();
  private readonly counted = new Set<Uuid>();

  get isEmpty(): boolean {
    return this.commands.size === 0;
  }

  add(name: string, commandId: Uuid): void {
    const known = this.commands.get(name);
    if (known) known.push(commandId);
    else this.commands.set(name, [commandId]);
    if (this.commands.size > REMEMBERED) this.commands.delete(this.commands.keys().next().value!);
  }

  /** The command of such a delivery, for the one that comes in its place. */
  take(name: string): Uuid | undefined {
    const known = this.commands.get(name);
    const first = known?.shift();
    if (known?.length === 0) this.commands.delete(name);
    return first;
  }

  /** Notes that the ledger has counted them already. */
  setCounted(commandIds: readonly Uuid[]): void {
    for (const id of commandIds) this.counted.add(id);
    for (const id of this.counted) {
      if (this.counted.size <= REMEMBERED) return;
      this.counted.delete(id);
    }
  }

  /** Whether the ledger has counted the delivery; asked once. */
  isCounted(commandId: Uuid): boolean {
    return this.counted.delete(commandId);
  }
}
