import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.js';

const BATCH = 20;
const BETWEEN_MS = 100;

/** The nth contact of a stream of them: of some fifty people, whom some contacts join with a number. */
export const trafficContact = (name: string, n: number): object => ({
  channel: 'chat',
  account: 'web',
  externalId: `${name}-${n}`,
  kind: 'message',
  threadId: `${name}-${n % 20}`,
  occurredAt: new Date(Date.UTC(2026, 0, 6, 9) + n * 60_000).toISOString(),
  customer: {
    identifiers: [
      { type: 'email', value: `person${n % 50}.${name}@example.com` },
      ...(n % 7 === 0 ? [{ type: 'account', value: `${name}-${n % 50}` }] : []),
    ],
  },
  text: `Message ${n} of ${name}`,
});

/** Contacts for as long as it runs, to one ingest after the other; what is refused is handed over again until it is taken. */
export class Traffic {
  /** Of everything that was taken. */
  readonly receipts = new Set<string>();
  refused = 0;
  private sent = 0;
  private stopped = false;
  private readonly running: Promise<void>;

  private constructor(
    private readonly cluster: Cluster,
    private readonly name: string,
    private readonly tenants: readonly (string | undefined)[],
  ) {
    this.running = this.run();
  }

  /** @param tenants to each of them in turn. @default the one that a cluster has */
  static start(cluster: Cluster, name: string, tenants: readonly string[] = []): Traffic {
    return new Traffic(cluster, name, tenants.length > 0 ? tenants : [undefined]);
  }

  /** Contacts taken so far. */
  get taken(): number {
    return this.receipts.size;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    for (let turn = 0; !this.stopped; turn++) {
      const batch = Array.from({ length: BATCH }, (_, i) => trafficContact(this.name, this.sent + i));
      await this.hand(batch, turn, this.tenants[turn % this.tenants.length]);
      this.sent += BATCH;
      await sleep(BETWEEN_MS);
    }
  }

  private async hand(batch: object[], turn: number, tenant?: string): Promise<void> {
    for (let tries = turn; ; tries++) {
      try {
        const nth = tries % this.cluster.of('ingest').length;
        const sender = await this.cluster.client('ingest', 'integration', nth, tenant);
        for (const { receipt } of await sender.take(batch)) this.receipts.add(receipt!);
        return;
      } catch {
        this.refused += 1;
        await sleep(BETWEEN_MS);
      }
    }
  }
}
