import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { withDeadline } from './deadline.js';
import { busUnavailable, fromClient } from './kafka.errors.js';

/** Between two looks at what the group has committed. */
const LOOK_MS = 100;
const DEADLINE_MS = 3000;

/** Of each partition: the offset that the next message will have, or the first one that is not handled. */
type Offsets = ReadonlyMap<number, bigint>;

interface Asked {
  until: number;
  /** Where the topic ended after it was asked; read with the next look. */
  ends?: Offsets;
  resolve(handled: boolean): void;
  reject(error: unknown): void;
}

/** Says whether the recorders have come past everything that a topic held when it was asked; all who ask share one look. */
export class KafkaHandled {
  private readonly asked = new Set<Asked>();
  private looking = false;

  constructor(
    private readonly admin: () => Promise<Pick<Admin, 'fetchOffsets' | 'fetchTopicOffsets'>>,
    private readonly groupId: string,
    private readonly topic: string,
  ) {}

  /**
   * Whether each message that was acknowledged before this call is recorded or set aside, within so many milliseconds.
   * @throws HubError `BUS.UNAVAILABLE`, retryable
   */
  soFar(withinMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.asked.add({ until: performance.now() + withinMs, resolve, reject });
      if (!this.looking) void this.look();
    });
  }

  /** Never rejects: everybody who asked hears of it. */
  private async look(): Promise<void> {
    this.looking = true;
    while (this.asked.size > 0) {
      const unread = [...this.asked].filter(({ ends }) => ends === undefined);
      try {
        if (unread.length > 0) {
          const ends = await this.ask((admin) => this.ends(admin));
          for (const one of unread) one.ends = ends;
        }
        this.settle(await this.ask((admin) => this.committed(admin)));
      } catch (error) {
        for (const one of this.asked) one.reject(error);
        this.asked.clear();
      }
      if (this.asked.size > 0) await sleep(LOOK_MS);
    }
    this.looking = false;
  }

  private settle(committed: Offsets): void {
    for (const one of this.asked) {
      const { ends, until } = one;
      const handled = ends && [...ends].every(([partition, end]) => (committed.get(partition) ?? -1n) >= end);
      if (!handled && performance.now() < until) continue;
      this.asked.delete(one);
      one.resolve(handled === true);
    }
  }

  /** Partitions that hold nothing have nothing to be handled. */
  private async ends(admin: Pick<Admin, 'fetchTopicOffsets'>): Promise<Offsets> {
    const partitions = await admin.fetchTopicOffsets(this.topic);
    const held = partitions.filter(({ low, high }) => BigInt(high) > BigInt(low));
    return new Map(held.map(({ partition, high }) => [partition, BigInt(high)]));
  }

  private async committed(admin: Pick<Admin, 'fetchOffsets'>): Promise<Offsets> {
    const topics = await admin.fetchOffsets({ groupId: this.groupId, topics: [this.topic] });
    const partitions = topics.flatMap((topic) => topic.partitions);
    return new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  private ask<T>(question: (admin: Awaited<ReturnType<KafkaHandled['admin']>>) => Promise<T>): Promise<T> {
    const answer = this.admin()
      .then(question)
      .catch((error: unknown) => {
        throw fromClient(error);
      });
    return withDeadline(DEADLINE_MS, answer, () => busUnavailable(`what of ${this.topic} is handled cannot be read`));
  }
}
