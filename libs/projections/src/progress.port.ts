/** News of one folded batch. */
export interface ProjectionAdvance {
  /** Position of the last folded event. */
  position: number;
  /** Recorded positions of the contacts whose content a correction replaced, and of the commitments that ended. */
  corrected: readonly number[];
}

/** How far the read model has folded the log, pushed by whoever runs the projector. */
export class ProjectionProgress {
  private current = 0;
  private readonly listeners = new Set<(advance: ProjectionAdvance) => void>();
  private readonly waiting = new Set<{ position: number; resolve: (reached: boolean) => void }>();

  position(): number {
    return this.current;
  }

  advance(news: ProjectionAdvance): void {
    if (news.position > this.current) this.current = news.position;
    for (const waiter of this.waiting) if (waiter.position <= this.current) waiter.resolve(true);
    for (const listener of this.listeners) listener(news);
  }

  /** Hears of every batch until the returned function is called. */
  onAdvance(listener: (advance: ProjectionAdvance) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Whether the read model shows `position` within `timeoutMs`. */
  async reached(position: number, timeoutMs: number): Promise<boolean> {
    if (position <= this.current) return true;
    return new Promise((resolve) => {
      const done = (reached: boolean) => {
        clearTimeout(timer);
        this.waiting.delete(waiter);
        resolve(reached);
      };
      const waiter = { position, resolve: done };
      const timer = setTimeout(() => done(false), timeoutMs);
      this.waiting.add(waiter);
    });
  }
}
