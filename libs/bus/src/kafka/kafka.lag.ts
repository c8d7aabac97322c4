import type { Admin } from 'kafkajs';
import { withDeadline } from './deadline.js';
import { busUnavailable, fromClient } from './kafka.errors.js';

/** Milliseconds for which a reading is good: a page of metrics asks more than once. */
const FRESH_MS = 1000;
const DEADLINE_MS = 3000;

/** How many messages the group has not recorded yet, on whatever recorder's partitions they lie. */
export class KafkaLag {
  private reading: Promise<number> | undefined;

  constructor(
    private readonly admin: Admin,
    private readonly group: string,
    private readonly topics: readonly string[],
  ) {}

  /** @throws HubError `BUS.UNAVAILABLE` */
  read(): Promise<number> {
    if (!this.reading) {
      const count = this.count().catch((error: unknown) => {
        throw fromClient(error);
      });
      this.reading = withDeadline(DEADLINE_MS, count, () => busUnavailable('the lag cannot be read'));
      setTimeout(() => (this.reading = undefined), FRESH_MS).unref();
    }
    return this.reading;
  }

  private async count(): Promise<number> {
    const committed = await this.admin.fetchOffsets({ groupId: this.group, topics: [...this.topics] });
    let lag = 0n;
    for (const { topic, partitions } of committed) {
      const next = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
      for (const { partition, low, high } of await this.admin.fetchTopicOffsets(topic)) {
        const from = next.get(partition) ?? -1n;
        const end = BigInt(high);
        // Nothing committed, or what was committed is deleted by now: it begins at the oldest message.
        lag += end - (from < BigInt(low) ? BigInt(low) : from);
      }
    }
    return Number(lag);
  }
}
