import { Module } from '@nestjs/common';
import { ChannelsModule } from '#libs/channels/channels.module.js';
import { IngestModule } from '#libs/channels/ingest/ingest.module.js';
import { HealthModule } from '#libs/queries/health/health.module.js';
import { accessModule } from '../../shared/src/access.js';
import { EnginesModule } from '../../shared/src/engines.module.js';
import { openBesideLog, type BesideLog } from '../../shared/src/open-cluster.js';
import { busAnswers, operationsAnswer, watchBus } from '../../shared/src/health.js';
import { openProgramBus, type Program } from '../../shared/src/start-program.js';

@Module({})
class IngestProgramModule {}

/** The edge: deliveries in, contacts onto the bus. It takes them while the event store is away. */
export const ingest: Program<BesideLog> = {
  name: 'ingest',
  needs: ['busUrl', 'readModelUrl', 'masterKey', 'pepper'],
  docs: true,
  open: openBesideLog,
  build: async (parts, start) => {
    const bus = await openProgramBus(parts, start);
    return {
      module: IngestProgramModule,
      imports: [
        EnginesModule.register({ ...parts, bus }),
        accessModule(parts),
        HealthModule.register({
          checks: [busAnswers(bus), operationsAnswer(parts.log.parked)],
          watch: (metrics) => watchBus(metrics, bus),
        }),
        ChannelsModule.register(parts.accounts),
        IngestModule.register(),
      ],
    };
  },
};
