import type { Position, StoredEvent } from '#libs/event-store';
import { isRetryable } from '#libs/kernel';
import type { ProjectionAdvance } from '../progress.port.js';
import type { LogReader } from './log-follower.js';
import type { Projector } from './projector.js';

interface Batch extends ProjectionAdvance {
  /** Position of the newest link event that follows from it. */
  links: Position;
}

/**
 * Folds the log into the read model and has it read by the resolver, side by side. A batch counts as shown once the links
 * that follow from it are folded too: whoever asks for `atLeast` its position finds it under the customer it belongs to.
 */
export class ShownReader implements LogReader {
  private readonly awaited: Batch[] = [];
  private folded = 0;
  private newestLink: Position = 0;
  private corrected: number[] = [];

  /** @param tell hears of every batch once it is shown, in order */
  constructor(
    private readonly projector: Pick<Projector, 'checkpoint' | 'apply'>,
    private readonly resolver: LogReader,
    private readonly tell: (advance: ProjectionAdvance) => void,
  ) {}

  /** A link event was appended for the running batch. */
  linked(position: Position): void {
    this.newestLink = Math.max(this.newestLink, position);
  }

  /** Where both have been. */
  async checkpoint(): Promise<Position> {
    this.folded = await this.projector.checkpoint();
    return Math.min(this.folded, await this.resolver.checkpoint());
  }

  async apply(events: readonly StoredEvent[]): Promise<void> {
    const last = events.at(-1);
    if (!last) return;
    // Each of them passes over what it has seen, so a batch of which one has failed is given to both again.
    const results = await Promise.allSettled([this.fold(events), this.resolver.apply(events)]);
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (failures.length > 0) throw failures.find((failure) => !isRetryable(failure)) ?? failures[0];
    this.awaited.push({ position: last.position, links: this.newestLink, corrected: this.corrected });
    this.newestLink = 0;
    this.corrected = [];
    while (this.awaited[0] && this.awaited[0].links <= this.folded) {
      const { position, corrected } = this.awaited.shift()!;
      this.tell({ position, corrected });
    }
  }

  private async fold(events: readonly StoredEvent[]): Promise<void> {
    this.corrected.push(...(await this.projector.apply(events)));
    this.folded = await this.projector.checkpoint();
  }
}
