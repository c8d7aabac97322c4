import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { IDENTITY_FILE } from '#libs/commands/identity-resolver/identity-resolver.js';
import { readIdentityRulesFile } from '#libs/commands/identity-rules/read-identity-rules.js';
import { UuidSet } from '#libs/kernel';
import { ProjectionProgress } from '#libs/projections';
import { divideReadModel } from '#libs/projections/programs/divide-read-model.js';
import { ProjectorMeasures } from '#libs/projections/programs/projector-measures.js';
import { PostgresProgressAnnouncer, PostgresProgressFeed } from '#libs/projections/programs/postgres.progress-feed.js';
import { PostgresProjectorLease } from '#libs/projections/programs/postgres.projector-lease.js';
import { PostgresProjectorShare } from '#libs/projections/programs/postgres.projector-share.js';
import { PostgresReadModelHome } from '#libs/projections/read-model/postgres/postgres.read-model-home.js';
import { membersOf, shardsOf, type Shard } from '#libs/projections/shards.js';
import type { Metrics } from '#libs/queries';
import { HealthModule } from '#libs/queries/health/health.module.js';
import { accessModule } from '../../shared/src/access.js';
import { EnginesModule } from '../../shared/src/engines.module.js';
import { openClusterLog } from '../../shared/src/open-cluster.js';
import { eventStoreAnswers, operationsAnswer, watchTimelines } from '../../shared/src/health.js';
import type { ProgramParts } from '../../shared/src/parts.js';
import type { Program, ProgramStart } from '../../shared/src/start-program.js';
import { ProjectorTurns } from './projector-turns.js';

@Module({})
class ProjectorModule {}

/** Event store to read model, and the identity resolver: each shard is led by one, and the others stand by for it. */
export const projector: Program = {
  name: 'projector',
  needs: ['eventStoreUrl', 'readModelUrl', 'masterKey', 'pepper'],
  docs: false,
  open: openClusterLog,
  build: async (parts, start) => {
    const { settings, log } = parts;
    const { readModelUrl: url, projectorShards } = settings;
    const home = new PostgresReadModelHome(url);
    // Makes the tables where there are none: the leases are in one of them.
    await (await home.open()).close();
    await divideReadModel({ url, shards: projectorShards, log: log.events, open: () => home.open() });
    const progress = new ProjectionProgress();
    const turns = await takeTurns(parts, start, { home, progress });
    const leading = (): number[] => turns.filter((one) => one.turns.leading).map(({ shard }) => shard.index);
    return {
      module: ProjectorModule,
      imports: [
        EnginesModule.register({ ...parts, progress }),
        accessModule(parts),
        HealthModule.register({
          checks: [
            eventStoreAnswers(log.events),
            operationsAnswer(log.parked),
            {
              name: 'projector',
              ask: async () => ({
                leading: leading().length > 0,
                ...(projectorShards > 1 && { shards: projectorShards, leads: leading() }),
              }),
            },
          ],
          watch: (metrics) => {
            watchTimelines(metrics, log.events, progress);
            watchTurns(metrics, parts, { turns, progress });
          },
        }),
      ],
    };
  },
};

interface ShardTurns {
  shard: Shard;
  turns: ProjectorTurns;
  measures: ProjectorMeasures;
}

/** Begins to lead some shards and to stand by for the others. */
const takeTurns = async (
  { settings, log, logger, clock, tracing }: ProgramParts,
  { closing, onFailure }: ProgramStart,
  { home, progress }: { home: PostgresReadModelHome; progress: ProjectionProgress },
): Promise<ShardTurns[]> => {
  const { dataDir, readModelUrl: url, projectorShards } = settings;
  const feed = new PostgresProgressFeed(url, progress);
  closing.add(() => feed.close());
  const announcer = new PostgresProgressAnnouncer(url);
  closing.add(() => announcer.close());
  const share = new PostgresProjectorShare({ url, shards: projectorShards });
  closing.add(() => share.close());
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const stop = new AbortController();
  const turning: Promise<void>[] = [];
  const all: ShardTurns[] = [];
  for (const shard of shardsOf(projectorShards)) {
    const lease = new PostgresProjectorLease({ url, shard, share });
    // Given up before the connection ends.
    closing.add(async () => {
      stop.abort();
      await Promise.all(turning);
      await lease.close();
    });
    const measures = new ProjectorMeasures(membersOf(shard));
    const turns = await ProjectorTurns.open(
      {
        shard,
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
        file: join(dataDir, identityFileOf(shard)),
        ids: log.ids,
        // From here on the log says what is erased.
        erased: copyOf(log.vault.erased),
        rules: readIdentityRulesFile(settings.identityRulesFile),
      },
    );
    turning.push(turns.run(lease, stop.signal).catch(onFailure));
    all.push({ shard, turns, measures });
  }
  return all;
};

/** Each shard has a resolver, and a resolver a file. */
const identityFileOf = ({ index, of }: Shard): string =>
  of === 1 ? IDENTITY_FILE : IDENTITY_FILE.replace(/\.db$/, `-${index}-of-${of}.db`);

const watchTurns = (
  metrics: Metrics,
  { log, clock }: ProgramParts,
  { turns, progress }: { turns: readonly ShardTurns[]; progress: ProjectionProgress },
): void => {
  const each = (read: (one: ShardTurns, shown: number) => number) => () =>
    turns.map((one) => ({
      labels: { shard: String(one.shard.index) },
      value: read(one, progress.shard(one.shard).position()),
    }));
  metrics.watchEach(
    'hilo_projector_leading',
    '1 where this program folds a shard, 0 where it stands by',
    ['shard'],
    each((one) => (one.turns.leading ? 1 : 0)),
  );
  metrics.watchEach(
    'hilo_projector_lag_seconds',
    'Age of the newest folded event while there are newer ones',
    ['shard'],
    async () => {
      const head = await log.events.head();
      return each((one, shown) => (one.turns.leading ? one.measures.lagSeconds(shown, head, clock.nowMs()) : 0))();
    },
  );
};

const copyOf = (ids: UuidSet): UuidSet => {
  const copy = new UuidSet();
  for (const id of ids) copy.add(id);
  return copy;
};
