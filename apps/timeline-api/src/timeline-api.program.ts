import { Module } from '@nestjs/common';
import { KafkaWatch } from '#libs/bus/kafka/kafka.watch.js';
import { DeletedData, OwnTurns } from '#libs/commands';
import { schemaFor } from '#libs/kernel/postgres.js';
import { inPostgresTurn } from '#libs/kernel/postgres-turn.js';
import { ProjectionProgress } from '#libs/projections';
import { PostgresProgressFeed } from '#libs/projections/programs/postgres.progress-feed.js';
import { openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import type { DeletedRows } from '#libs/projections/read-model/read-model-home.port.js';
import { HealthModule } from '#libs/queries/health/health.module.js';
import { accessModule } from '../../shared/src/access.js';
import { agentsModules } from '../../shared/src/agents.modules.js';
import { EnginesModule } from '../../shared/src/engines.module.js';
import { openClusterLog } from '../../shared/src/open-cluster.js';
import {
  eventStoreAnswers,
  operationsAnswer,
  readModelAnswers,
  timelinesFollow,
  watchParked,
  watchTimelines,
} from '../../shared/src/health.js';
import type { Program } from '../../shared/src/start-program.js';

@Module({})
class TimelineApiModule {}

/** Read model and log to agents and analysts, and what they write down. */
export const timelineApi: Program = {
  name: 'timeline-api',
  needs: ['busUrl', 'eventStoreUrl', 'readModelUrl', 'masterKey', 'pepper'],
  docs: true,
  open: openClusterLog,
  build: async (parts, { closing }) => {
    const { settings, log, logger } = parts;
    // Without the brokers all but the receipts of what nobody has recorded yet is answered.
    const waiting = new KafkaWatch(settings, logger);
    closing.add(() => waiting.close());
    const home = await openReadModelHome(settings);
    const readModel = await home.open({ readonly: true });
    closing.add(() => readModel.close());
    const progress = new ProjectionProgress();
    const feed = new PostgresProgressFeed(settings.readModelUrl, progress);
    closing.add(() => feed.close());
    return {
      module: TimelineApiModule,
      imports: [
        EnginesModule.register({ ...parts, readModel, progress, waiting }),
        accessModule(parts),
        HealthModule.register({
          checks: [
            readModelAnswers(readModel),
            operationsAnswer(log.parked),
            eventStoreAnswers(log.events),
            // However far behind: were all of them to leave for that, nobody would see anything.
            timelinesFollow(log.events, progress, Number.POSITIVE_INFINITY),
          ],
          watch: (metrics) => {
            watchTimelines(metrics, log.events, progress);
            watchParked(metrics, log.parked);
          },
        }),
        ...agentsModules(
          new ServerData(home.deletedRows ? [home.deletedRows] : []),
          new ServerTurns(settings.readModelUrl),
        ),
      ],
    };
  },
};

/** Tables that hold what was deleted in them for a while; those of parked messages and keys let go by themselves. */
class ServerData extends DeletedData {
  constructor(private readonly databases: readonly DeletedRows[]) {
    super();
  }

  async scrub(): Promise<{ files: string[]; complete: boolean }> {
    const files: string[] = [];
    for (const database of this.databases) if (await database.scrub()) files.push(database.name);
    return { files, complete: files.length === this.databases.length };
  }
}

/** One erasure at a time, whichever of the programs was asked for it. */
class ServerTurns extends OwnTurns {
  constructor(private readonly url: string) {
    super();
  }

  override alone<T>(work: () => Promise<T>): Promise<T> {
    const { url } = this;
    const options = { url, schema: schemaFor(url, 'keys'), room: 'ERASURE' };
    return super.alone(() => inPostgresTurn(options, 'erasure', work));
  }
}
