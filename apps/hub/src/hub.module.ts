import { Module, type DynamicModule } from '@nestjs/common';
import { NotedLooks } from '#libs/access/trail/noted-looks.js';
import { ChannelsModule } from '#libs/channels/channels.module.js';
import { IngestModule } from '#libs/channels/ingest/ingest.module.js';
import { OwnTurns } from '#libs/commands';
import { RecorderModule } from '#libs/commands/recorder.module.js';
import { HealthModule } from '#libs/queries/health/health.module.js';
import { accessModule } from '../../shared/src/access.js';
import { agentsModules } from '../../shared/src/agents.modules.js';
import { EnginesModule } from '../../shared/src/engines.module.js';
import { eventStoreAnswers, timelinesFollow, watchBus, watchParked, watchTimelines } from '../../shared/src/health.js';
import type { HubParts } from '../../shared/src/parts.js';
import { DataFiles } from './data-files.js';

/** The whole line in one program. */
@Module({})
export class HubModule {
  /** `edge` false leaves the doors out: for a program that brings its own contacts. */
  static register(parts: HubParts, { edge }: { edge: boolean }): DynamicModule {
    const { accounts, bus, log, progress, settings } = parts;
    return {
      module: HubModule,
      providers: [
        { provide: NotedLooks, useFactory: () => new NotedLooks(settings.dataDir, log.events, parts.logger) },
      ],
      imports: [
        EnginesModule.register(parts),
        accessModule(parts),
        HealthModule.register({
          checks: [eventStoreAnswers(log.events), timelinesFollow(log.events, progress)],
          watch: (metrics) => {
            watchTimelines(metrics, log.events, progress);
            watchBus(metrics, bus);
            watchParked(metrics, log.parked);
          },
        }),
        ...(edge ? [ChannelsModule.register(accounts), IngestModule.register()] : []),
        RecorderModule,
        ...agentsModules(new DataFiles(settings.dataDir, parts.deletedRows), new OwnTurns()),
      ],
    };
  }
}
