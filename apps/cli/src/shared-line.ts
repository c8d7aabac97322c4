import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EmbeddedInteractionBus } from '#libs/bus/embedded/embedded.interaction-bus.js';
import { readAccountsFile } from '#libs/channels/accounts/read-accounts.js';
import { channelAdapters } from '#libs/channels/channels.module.js';
import { readIdentityRulesFile } from '#libs/commands/identity-rules/read-identity-rules.js';
import { RecorderModule } from '#libs/commands/recorder.module.js';
import { SystemClock } from '#libs/kernel';
import { createLogger } from '#libs/kernel/logging.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { ProjectionProgress } from '#libs/projections';
import { PostgresProgressFeed } from '#libs/projections/programs/postgres.progress-feed.js';
import { Closing } from '../../shared/src/closing.js';
import { EnginesModule } from '../../shared/src/engines.module.js';
import { nestLogger } from '../../shared/src/nest-logger.js';
import { openClusterLog } from '../../shared/src/open-cluster.js';
import type { Line } from './line.js';

@Module({})
class SharedLineModule {}

/** Records into the log that the programs of several machines share; theirs is the projector. */
export const startSharedLine = async (settings: HubSettings, program: string): Promise<Line> => {
  const clock = new SystemClock();
  const logger = createLogger(settings.logLevel, program);
  const { accountsFile, defaultCountry, identityRulesFile, busCapacity, readModelUrl } = settings;
  const accounts = readAccountsFile(accountsFile, { adapters: channelAdapters(), env: process.env, defaultCountry });
  const rules = readIdentityRulesFile(identityRulesFile);
  const closing = new Closing();
  try {
    const log = await openClusterLog(settings, clock);
    closing.add(() => log.close());
    const bus = new EmbeddedInteractionBus({ capacity: busCapacity });
    closing.add(() => bus.close());
    const progress = new ProjectionProgress();
    const feed = new PostgresProgressFeed(readModelUrl, progress);
    closing.add(() => feed.close());
    const engines = EnginesModule.register({ settings, logger, clock, log, bus, progress, accounts, rules });
    const app = await NestFactory.createApplicationContext(
      { module: SharedLineModule, imports: [engines, RecorderModule] },
      { logger: nestLogger(logger), abortOnError: false },
    );
    closing.add(() => app.close());
    return {
      app,
      parts: { settings, clock, log, bus, progress, accounts },
      close: () => closing.all(),
      checkAlive: () => undefined,
    };
  } catch (error) {
    await closing.all();
    throw error;
  }
};
