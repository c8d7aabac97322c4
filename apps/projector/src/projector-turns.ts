import { setTimeout as sleep } from 'node:timers/promises';
import { appendedElsewhere } from '#libs/commands/identity-resolver/appended-elsewhere.js';
import type { IdentityResolver, IdentityResolverOptions } from '#libs/commands/identity-resolver/identity-resolver.js';
import { openResolver } from '#libs/commands/identity-resolver/open-resolver.js';
import type { EventStore, StoredEvent } from '#libs/event-store';
import { HubError, codeOf, isRetryable, type Clock, type UuidSet } from '#libs/kernel';
import type { Logger } from '#libs/kernel/logging.js';
import type { Tracing } from '#libs/kernel/tracing/tracing.port.js';
import type { ProjectionProgress, ReadModel } from '#libs/projections';
import { membersOf, type Shard } from '#libs/projections/shards.js';
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
  /** Of whose events it takes turns. */
  shard: Shard;
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
/** How long the log may end before what is shown. */
const BEHIND_MS = 10_000;

/**
 * The two turns of a projector on a shard. While it leads it folds and resolves. While it stands by its resolver follows what the
 * active one has shown, and appends nothing, so that it takes over where that one ended.
 */
export class ProjectorTurns {
  leading = false;
  private append: EventStore['append'];

  private constructor(
    private readonly parts: ProjectorTurnsParts,
    private readonly standbyAppend: EventStore['append'],
    private readonly resolver: IdentityResolver,
  ) {
    this.append = standbyAppend;
  }

  /** @param options where its resolver is, and by which rules */
  static async open(
    parts: ProjectorTurnsParts,
    options: Omit<IdentityResolverOptions, 'append' | 'decidesFor'>,
  ): Promise<ProjectorTurns> {
    const { log, erased, shard } = parts;
    const standbyAppend = appendedElsewhere((stream) => log.read(stream), erased);
    const append: EventStore['append'] = (...given) => turns.append(...given);
    const decidesFor = membersOf(shard);
    const resolver = await openResolver({ ...options, append, decidesFor }, await log.head());
    const turns = new ProjectorTurns(parts, standbyAppend, resolver);
    return turns;
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
    const { shard, log, home, announcer, measures, logger, clock, tracing } = this.parts;
    const announcements = new Announcements((advance) => announcer.announce(advance, shard));
    let readModel: ReadModel | undefined;
    try {
      readModel = await home.open();
      const projector = new Projector(readModel, log, { shard });
      await this.refuseAhead(await projector.checkpoint(), signal);
      const reader = new ShownReader(projector, this.resolver, (advance) => announcements.tell(advance));
      this.append = async (...given) => {
        const receipt = await log.append(...given);
        reader.linked(receipt.position);
        return receipt;
      };
      const position = await reader.checkpoint();
      logger.info({ position, ...shard }, 'this projector leads');
      this.leading = true;
      announcements.tell({ position, corrected: [] });
      const traced = tracing ? tracedReader(reader, tracing, clock, membersOf(shard)) : reader;
      await followLog(log, measures.over(traced), {
        signal,
        onRetry: (error) => {
          measures.retried();
          logger.warn({ code: codeOf(error), ...shard }, 'folding is tried again');
        },
      });
    } catch (error) {
      // Somebody else took this one for dead and has gone on: there it is right.
      if (codeOf(error) !== 'READ_MODEL.FENCED' && !isRetryable(error)) throw error;
      logger.warn({ code: codeOf(error), ...shard }, 'this projector cannot lead now, and stands by');
    } finally {
      this.leading = false;
      this.append = this.standbyAppend;
      await announcements.close();
      await readModel?.close();
    }
  }

  /** A node of the event store may be behind for a moment; a log that was put back to an older state stays so. */
  private async refuseAhead(shown: number, signal: AbortSignal): Promise<void> {
    const endMs = performance.now() + BEHIND_MS;
    for (let head = await this.parts.log.head(); head < shown && !signal.aborted; head = await this.parts.log.head()) {
      if (performance.now() > endMs)
        throw new HubError(
          'READ_MODEL.AHEAD',
          `the timelines show position ${shown}, the log ends at ${head}: it was put back to an older state; run hilo rebuild`,
        );
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
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
    const shown = this.parts.progress.shard(this.parts.shard);
    while (!(await shown.reached(last, LOOK_MS))) if (signal.aborted) return;
    await this.resolver.apply(events);
  }
}
