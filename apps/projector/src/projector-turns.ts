import { appendedElsewhere } from '#libs/commands/identity-resolver/appended-elsewhere.js';
import type { IdentityResolver } from '#libs/commands/identity-resolver/identity-resolver.js';
import type { EventStore, StoredEvent } from '#libs/event-store';
import { codeOf, type Clock, type UuidSet } from '#libs/kernel';
import type { Logger } from '#libs/kernel/logging.js';
import type { Tracing } from '#libs/kernel/tracing/tracing.port.js';
import type { ProjectionProgress } from '#libs/projections';
import { Announcements } from '#libs/projections/programs/announcements.js';
import { followLog } from '#libs/projections/programs/follow-log.js';
import type { ProjectorMeasures } from '#libs/projections/programs/projector-measures.js';
import type { PostgresProgressAnnouncer } from '#libs/projections/programs/postgres.progress-feed.js';
import type { PostgresProjectorLease } from '#libs/projections/programs/postgres.projector-lease.js';
import { Projector } from '#libs/projections/projector/projector.js';
import { tracedReader } from '#libs/projections/projector/traced-reader.js';
import { ShownReader } from '#libs/projections/projector/shown-reader.js';
import type { ReadModelHome } from '#libs/projections/read-model/read-model-home.port.js';

export interface ProjectorTurnsParts {
  log: EventStore;
  erased: UuidSet;
  home: ReadModelHome;
  announcer: PostgresProgressAnnouncer;
  /** What whoever leads has announced. */
  progress: ProjectionProgress;
  measures: ProjectorMeasures;
  logger: Logger;
  clock: Clock;
  /** Absent where nobody collects traces. */
  tracing?: Tracing;
}

/** How long a standby waits for news of the active projector before it looks whether it is to stop. */
const LOOK_MS = 500;

/**
 * The two turns of a projector. While it leads it folds and resolves. While it stands by its resolver follows what the
 * active one has shown, and appends nothing, so that it takes over where that one ended.
 */
export class ProjectorTurns {
  leading = false;
  private readonly standbyAppend: EventStore['append'];
  private append: EventStore['append'];
  private readonly resolver: IdentityResolver;

  constructor(
    private readonly parts: ProjectorTurnsParts,
    openResolver: (append: EventStore['append']) => IdentityResolver,
  ) {
    this.standbyAppend = appendedElsewhere((stream) => parts.log.read(stream), parts.erased);
    this.append = this.standbyAppend;
    this.resolver = openResolver((...given) => this.append(...given));
  }

  /** Runs until `stop`; rejects with what does not pass. */
  async run(lease: PostgresProjectorLease, stop: AbortSignal): Promise<void> {
    let endStandby = this.standBy(stop);
    try {
      await lease.lead(async (lost) => {
        await endStandby();
        await this.lead(lost);
        endStandby = this.standBy(stop);
      }, stop);
    } finally {
      await endStandby();
      await this.resolver.close();
    }
  }

  private async lead(signal: AbortSignal): Promise<void> {
    const { log, home, announcer, measures, logger, clock, tracing } = this.parts;
    const readModel = await home.open();
    const announcements = new Announcements((advance) => announcer.announce(advance));
    try {
      const reader = new ShownReader(new Projector(readModel, log), this.resolver, (advance) =>
        announcements.tell(advance),
      );
      this.append = async (...given) => {
        const receipt = await log.append(...given);
        reader.linked(receipt.position);
        return receipt;
      };
      const position = await reader.checkpoint();
      logger.info({ position }, 'this projector leads');
      this.leading = true;
      announcements.tell({ position, corrected: [] });
      const traced = tracing ? tracedReader(reader, tracing, clock) : reader;
      await followLog(log, measures.over(traced), {
        signal,
        onRetry: (error) => {
          measures.retried();
          logger.warn({ code: codeOf(error) }, 'folding is tried again');
        },
      });
    } catch (error) {
      // Somebody else took this one for dead and has gone on: there it is right.
      if (codeOf(error) !== 'READ_MODEL.FENCED') throw error;
      logger.warn('another projector has moved the checkpoint; this one stands by');
    } finally {
      this.leading = false;
      this.append = this.standbyAppend;
      await announcements.close();
      await readModel.close();
    }
  }

  /** @returns what ends it, after the running batch */
  private standBy(stop: AbortSignal): () => Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([stop, over.signal]);
    const reader = {
      checkpoint: () => this.resolver.checkpoint(),
      apply: (events: readonly StoredEvent[]) => this.applyShown(events, signal),
    };
    // Whoever leads meets the same, and fails for it.
    const following = followLog(this.parts.log, reader, { signal }).catch((error: unknown) =>
      this.parts.logger.error({ code: codeOf(error) }, 'the resolver of this standby follows no more'),
    );
    return async () => {
      over.abort();
      await following;
    };
  }

  /** What nobody has shown yet is not decided here. */
  private async applyShown(events: readonly StoredEvent[], signal: AbortSignal): Promise<void> {
    const last = events.at(-1)!.position;
    while (!(await this.parts.progress.reached(last, LOOK_MS))) if (signal.aborted) return;
    await this.resolver.apply(events);
  }
}
