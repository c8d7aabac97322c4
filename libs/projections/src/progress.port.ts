import { indexOf, WHOLE, type Shard } from './shards.js';

/** News of one folded batch. */
export interface ProjectionAdvance {
  /** Position of the last folded event. */
  position: number;
  /** Recorded positions of the contacts whose content a correction replaced, and of the commitments that ended. */
  corrected: readonly number[];
}

/** How far some of the tenants are shown. */
export interface ShownPlace {
  position(): number;
  /** Whether `position` is shown within `timeoutMs`. */
  reached(position: number, timeoutMs: number): Promise<boolean>;
}

/**
 * How far the read model has folded the log, pushed by whoever runs the projectors. Asked as it is, it answers for all
 * tenants: by the shard that is furthest behind.
 */
export class ProjectionProgress implements ShownPlace {
  /** Of each shard. */
  private places = [0];
  private readonly listeners = new Set<(advance: ProjectionAdvance) => void>();
  private readonly waiting = new Set<() => void>();

  position(): number {
    return Math.min(...this.places);
  }

  reached(position: number, timeoutMs: number): Promise<boolean> {
    return this.wait(() => this.position() >= position, timeoutMs);
  }

  /** Of one tenant. */
  of(tenant: string): ShownPlace {
    return this.at(() => indexOf(tenant, this.places.length));
  }

  /** Of one shard, while the tenants are divided as it says. */
  shard({ index }: Shard): ShownPlace {
    return this.at(() => index);
  }

  advance(news: ProjectionAdvance, { index, of }: Shard = WHOLE): void {
    // They are divided otherwise from a position on that each had reached.
    const least = this.position();
    if (of !== this.places.length) this.places = Array.from({ length: of }, () => least);
    this.places[index] = Math.max(this.places[index]!, news.position);
    for (const look of this.waiting) look();
    for (const listener of this.listeners) listener(news);
  }

  /** Hears of every batch until the returned function is called. */
  onAdvance(listener: (advance: ProjectionAdvance) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private at(index: () => number): ShownPlace {
    const position = (): number => this.places[index()] ?? 0;
    return {
      position,
      reached: (wanted, timeoutMs) => this.wait(() => position() >= wanted, timeoutMs),
    };
  }

  private async wait(isThere: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isThere()) return true;
    return new Promise((resolve) => {
      const done = (reached: boolean): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(reached);
      };
      const look = (): void => {
        if (isThere()) done(true);
      };
      const timer = setTimeout(() => done(false), timeoutMs);
      this.waiting.add(look);
    });
  }
}
