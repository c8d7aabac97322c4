import type { CustomerIdentifier, Uuid } from '#libs/kernel';
import { TENANT, ids, type Delivery, type World } from './world.js';

export const email = (name: string): CustomerIdentifier => ({ type: 'email', value: `${name}@x.example` });
export const phone = (last: number): CustomerIdentifier => ({
  type: 'phone',
  value: `+1212555${String(last).padStart(4, '0')}`,
});
export const account = (value: string): CustomerIdentifier => ({ type: 'account', value, verified: true });

/** Minutes. */
export const DAY = 1440;

/** Contacts told one after the other, by short names: `m1`, `m2`, … */
export class Story {
  private serial = 0;

  constructor(readonly world: World) {}

  /** A contact of its own, one a minute unless told otherwise. */
  contact(sees: CustomerIdentifier[], over: Partial<Delivery> = {}): Delivery {
    this.serial += 1;
    return { externalId: `m${this.serial}`, revision: 1, sees, minute: this.serial, ...over };
  }

  async tell(...deliveries: Delivery[]): Promise<void> {
    for (const one of deliveries) await this.world.deliver(one);
    await this.world.settle();
  }

  /** Who stands behind each of these: equal ids for one customer. */
  async customersOf(...identities: Uuid[]): Promise<string[]> {
    const { customers } = await this.world.shown();
    return identities.map((id) => Object.entries(customers).find(([, one]) => one.identities.includes(id))![0]);
  }

  /** External ids on the timeline of an identity's customer, oldest first. */
  async timelineOf(identity: Uuid): Promise<string[]> {
    const { customers } = await this.world.shown();
    const { timeline } = Object.values(customers).find(({ identities }) => identities.includes(identity))!;
    return timeline.map((entry) => this.nameOf(entry.split(' ')[0]!)!);
  }

  /** Undefined for any other id. */
  nameOf(interaction: Uuid): string | undefined {
    const names = Array.from({ length: this.serial }, (_, n) => `m${n + 1}`);
    return names.find((name) => ids.interaction(TENANT, 'chat', 'shop', name) === interaction);
  }
}
