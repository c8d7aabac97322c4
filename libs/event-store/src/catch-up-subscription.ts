import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position, StoredEvent, Subscription } from './event-store.port.js';

/**
 * Reads on from its own position whenever it is woken: a slow subscriber holds one page, however far the writer is
 * ahead. A wake-up during a page is remembered, so no event waits for the next one.
 */
export class CatchUpSubscription implements Subscription {
  readonly done: Promise<void>;
  private stopped = false;
  private woken = false;
  private wakeSleeper: (() => void) | undefined;

  constructor(
    private position: Position,
    private readonly pageAfter: (position: Position) => StoredEvent[],
    private readonly handle: (events: StoredEvent[]) => Promise<void>,
  ) {
    this.done = this.run();
  }

  wake(): void {
    this.woken = true;
    this.wakeSleeper?.();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeSleeper?.();
    await this.done.catch(() => undefined); // the failure belongs to whoever awaits `done`
  }

  private async run(): Promise<void> {
    // A turn between pages keeps a long catch-up from holding up everything else in the thread.
    for (await nextTurn(); !this.stopped; await nextTurn()) {
      this.woken = false;
      const page = this.pageAfter(this.position);
      const last = page.at(-1);
      if (last) {
        await this.handle(page);
        this.position = last.position;
      } else if (!this.woken) {
        await new Promise<void>((resolve) => (this.wakeSleeper = resolve));
        this.wakeSleeper = undefined;
      }
    }
  }
}

/** The live subscriptions of one store or reader. */
export class Subscriptions {
  private readonly live = new Set<CatchUpSubscription>();

  add(subscription: CatchUpSubscription): Subscription {
    this.live.add(subscription);
    const forget = (): boolean => this.live.delete(subscription);
    subscription.done.then(forget, forget);
    return subscription;
  }

  wake(): void {
    for (const subscription of this.live) subscription.wake();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.live].map((subscription) => subscription.stop()));
  }
}
