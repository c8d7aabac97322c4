import { Module } from '@nestjs/common';
import { readIdentityRulesFile } from '#libs/commands/identity-rules/read-identity-rules.js';
import { RecorderModule } from '#libs/commands/recorder.module.js';
import { HealthModule } from '#libs/queries/health/health.module.js';
import { accessModule } from '../../shared/src/access.js';
import { EnginesModule } from '../../shared/src/engines.module.js';
import { openClusterLog } from '../../shared/src/open-cluster.js';
import { busAnswers, eventStoreAnswers, operationsAnswer, watchBus, watchParked } from '../../shared/src/health.js';
import { openProgramBus, type Program } from '../../shared/src/start-program.js';

@Module({})
class RecorderProgramModule {}

/** Bus to event store: as many as there are partitions share them. */
export const recorder: Program = {
  name: 'recorder',
  needs: ['busUrl', 'eventStoreUrl', 'readModelUrl', 'masterKey', 'pepper'],
  docs: false,
  open: openClusterLog,
  build: async (parts, start) => {
    const rules = readIdentityRulesFile(parts.settings.identityRulesFile);
    const bus = await openProgramBus(parts, start);
    const { events, parked } = parts.log;
    return {
      module: RecorderProgramModule,
      imports: [
        EnginesModule.register({ ...parts, bus, rules }),
        accessModule(parts),
        HealthModule.register({
          checks: [busAnswers(bus), eventStoreAnswers(events), operationsAnswer(parked)],
          watch: (metrics) => {
            watchBus(metrics, bus);
            watchParked(metrics, parked);
          },
        }),
        RecorderModule,
      ],
    };
  },
};
