import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { IDENTITY_FILE } from '#libs/commands/identity-resolver/identity-resolver.js';
import { readIdentityRulesFile } from '#libs/commands/identity-rules/read-identity-rules.js';
import { UuidSet } from '#libs/kernel';
import { ProjectionProgress } from '#libs/projections';
import { ProjectorMeasures } from '#libs/projections/programs/projector-measures.js';
import { PostgresProgressAnnouncer, PostgresProgressFeed } from '#libs/projections/programs/postgres.progress-feed.js';
import { PostgresProjectorLease } from '#libs/projections/programs/postgres.projector-lease.js';
import { openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import { HealthModule } from '#libs/queries/health/health.module.js';
import { accessModule } from '../../shared/src/access.js';
import { EnginesModule } from '../../shared/src/engines.module.js';
import { openClusterLog } from '../../shared/src/open-cluster.js';
import { eventStoreAnswers, operationsAnswer, watchTimelines } from '../../shared/src/health.js';
import type { Program } from '../../shared/src/start-program.js';
import { ProjectorTurns } from './projector-turns.js';

@Module({})
class ProjectorModule {}

/** Event store to read model, and the identity resolver: one works, the others stand by. */
export const projector: Program = {
  name: 'projector',
  needs: ['eventStoreUrl', 'readModelUrl', 'masterKey', 'pepper'],
  docs: false,
  open: openClusterLog,
  build: async (parts, { closing, onFailure }) => {
    const { settings, log, logger, clock, tracing } = parts;
    const { dataDir, readModelUrl: url } = settings;
    const home = await openReadModelHome(settings);
    // Makes the tables where there are none: the lease is in one of them.
    await (await home.open()).close();
    const progress = new ProjectionProgress();
    const feed = new PostgresProgressFeed(url, progress);
    closing.add(() => feed.close());
    const announcer = new PostgresProgressAnnouncer(url);
    closing.add(() => announcer.close());
    const lease = new PostgresProjectorLease({ url });
    closing.add(() => lease.close());
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const measures = new ProjectorMeasures();
    const turns = await ProjectorTurns.open(
      {
        log: log.events,
        erased: log.vault.erased,
        home,
        announcer,
        progress,
        measures,
        logger,
        clock,
        ...(tracing && { tracing }),
      },
      {
        file: join(dataDir, IDENTITY_FILE),
        ids: log.ids,
        // From here on the log says what is erased.
        erased: copyOf(log.vault.erased),
        rules: readIdentityRulesFile(settings.identityRulesFile),
      },
    );
    const stop = new AbortController();
    const turning = turns.run(lease, stop.signal).catch(onFailure);
    closing.add(async () => {
      stop.abort();
      await turning;
    });
    return {
      module: ProjectorModule,
      imports: [
        EnginesModule.register({ ...parts, progress }),
        accessModule(parts),
        HealthModule.register({
          checks: [
            eventStoreAnswers(log.events),
            operationsAnswer(log.parked),
            { name: 'projector', ask: async () => ({ leading: turns.leading }) },
          ],
          watch: (metrics) => {
            watchTimelines(metrics, log.events, progress);
            metrics.watch('hilo_projector_leading', '1 where this program folds, 0 where it stands by', () =>
              turns.leading ? 1 : 0,
            );
            metrics.watch(
              'hilo_projector_lag_seconds',
              'Age of the newest folded event while there are newer ones',
              async () =>
                turns.leading ? measures.lagSeconds(progress.position(), await log.events.head(), clock.nowMs()) : 0,
            );
          },
        }),
      ],
    };
  },
};

const copyOf = (ids: UuidSet): UuidSet => {
  const copy = new UuidSet();
  for (const id of ids) copy.add(id);
  return copy;
};
