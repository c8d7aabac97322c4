import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectionAdvance } from '../progress.port.js';

const RETRY_MS = 500;

/**
 * Passes on what is shown without making the fold wait: one announcement is under way, and what comes meanwhile is gathered
 * into the next. One that fails is made again with it.
 */
export class Announcements {
  private waiting: ProjectionAdvance | undefined;
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly announce: (advance: ProjectionAdvance) => Promise<void>) {}

  tell({ position, corrected }: ProjectionAdvance): void {
    this.waiting = joined(this.waiting, { position, corrected });
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Resolves when everything was announced, or has failed once more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting) {
      const next = this.waiting;
      this.waiting = undefined;
      try {
        await this.announce(next);
      } catch {
        if (this.closed) return;
        await sleep(RETRY_MS, undefined, { ref: false });
        this.waiting = joined(next, this.waiting);
      }
    }
  }
}

const joined = (earlier: ProjectionAdvance | undefined, later: ProjectionAdvance | undefined): ProjectionAdvance => ({
  position: Math.max(earlier?.position ?? 0, later?.position ?? 0),
  corrected: [...(earlier?.corrected ?? []), ...(later?.corrected ?? [])],
});
