import 'reflect-metadata';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ensureFirstKeys, type FirstKeys } from '#libs/access/first-keys.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { openBus } from '#libs/bus/bus.module.js';
import { TracedInteractionBus } from '#libs/bus/traced.interaction-bus.js';
import { readAccountsFile } from '#libs/channels/accounts/read-accounts.js';
import { channelAdapters } from '#libs/channels/channels.module.js';
import { readIdentityRulesFile } from '#libs/commands/identity-rules/read-identity-rules.js';
import type { IdentityRules } from '#libs/domain';
import { EmailListener } from '#libs/channels/email/email.listener.js';
import { HubError, SystemClock } from '#libs/kernel';
import { createLogger } from '#libs/kernel/logging.js';
import { type HubSettings } from '#libs/kernel/settings.js';
import { openTracing } from '#libs/kernel/tracing/open-tracing.js';
import { openSealedEventStore } from '#libs/privacy/open-sealed-event-store.js';
import { ProjectionProgress } from '#libs/projections';
import { READ_MODEL_FILE, checkReadModelUrl, openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import { openTokens } from '../../shared/src/access.js';
import { kafkaBusNeeds } from '../../shared/src/kafka-bus-needs.js';
import { nestLogger } from '../../shared/src/nest-logger.js';
import type { HubParts } from '../../shared/src/parts.js';
import { serveHttp } from '../../shared/src/serve-http.js';
import { HubModule } from './hub.module.js';
import { ProjectorHost } from './projector-host.js';
import { rewrittenFile } from './rewritten-file.js';
import type { ProjectorData } from './projector.protocol.js';

export interface RunningHub {
  app: INestApplicationContext;
  parts: HubParts;
  /** Address of the API; absent where it was not asked for. */
  url?: string;
  /** Port of the SMTP listener, where one is set. */
  smtpPort?: number;
  firstKeys: FirstKeys;
  /** Takes nothing more in, finishes what it took, closes every file. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** Serve HTTP and the listeners; otherwise only the line from bus to read model runs. @default true */
  listen?: boolean;
  /** Named to whoever finds the data directory in use. @default 'hub' */
  program?: string;
  /** Hears that the projector has died; the hub cannot show anything new any more. */
  onFailure: (error: Error) => void;
}

const projectorData = (
  { dataDir, readModelUrl, masterKey, nextMasterKey }: HubSettings,
  rules: IdentityRules,
): ProjectorData => ({
  dataDir,
  readModelUrl,
  rules,
  ...(masterKey !== undefined && { masterKey }),
  ...(nextMasterKey !== undefined && { nextMasterKey }),
});

/**
 * Opens the engines, starts projector and application, and listens.
 * @throws HubError `SETTINGS.INVALID`, `DATA_DIRECTORY.OWNED`, `DATA_DIRECTORY.PEPPER_MISMATCH`, `KEY_VAULT.…` before anything runs.
 */
export const startHub = async (settings: HubSettings, options: StartOptions): Promise<RunningHub> => {
  const { listen = true, program = 'hub', onFailure } = options;
  const clock = new SystemClock();
  const logger = createLogger(settings.logLevel, program);
  checkReadModelUrl(settings.readModelUrl);
  if (settings.eventStoreUrl === 'memory:')
    throw new HubError(
      'SETTINGS.INVALID',
      'HILO_EVENT_STORE_URL: memory: is for tests, the projector thread cannot read it; use sqlite:',
    );
  const accounts = readAccountsFile(settings.accountsFile, {
    adapters: channelAdapters(),
    env: process.env,
    defaultCountry: settings.defaultCountry,
  });
  const rules = readIdentityRulesFile(settings.identityRulesFile);
  // Closed in reverse, also when a later step of the start fails.
  const opened: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of opened.splice(0).toReversed()) await close();
  };
  try {
    const tracing = await openTracing(process.env, program, (problem) => logger.warn(problem));
    if (tracing) opened.push(() => tracing.close());
    const log = await openSealedEventStore(settings, clock, { program, onThreadFailure: onFailure });
    opened.push(() => log.close());
    const engine = await openBus(settings, () => kafkaBusNeeds({ log, logger, clock }, onFailure));
    const bus = tracing ? new TracedInteractionBus(engine, tracing) : engine;
    opened.push(() => bus.close());
    const head = await log.events.head();
    const home = await openReadModelHome(settings);
    const unusable = await home.discardUnusable(head);
    if (unusable) logger.warn(`the read model is folded anew: ${unusable}`);
    const readModel = await home.open();
    opened.push(() => readModel.close());
    const keys = SqliteApiKeys.open({ dataDir: settings.dataDir, clock });
    opened.push(() => keys.close());
    const firstKeys = await ensureFirstKeys(settings.dataDir, keys);
    const progress = new ProjectionProgress();
    const parts: HubParts = {
      settings,
      logger,
      clock,
      log,
      bus,
      readModel,
      deletedRows: [
        home.deletedRows ?? rewrittenFile(`rows of ${READ_MODEL_FILE}`, join(settings.dataDir, READ_MODEL_FILE)),
      ],
      progress,
      keys,
      ...(await openTokens(settings, clock, logger)),
      accounts,
      rules,
      ...(tracing && { tracing }),
    };
    const projector = new ProjectorHost(log, progress, projectorData(settings, rules), onFailure, head);
    opened.push(() => projector.stop());

    if (!listen) {
      const app = await NestFactory.createApplicationContext(HubModule.register(parts, { edge: false }), {
        logger: nestLogger(logger),
        abortOnError: false,
      });
      opened.push(() => app.close());
      return { app, parts, firstKeys, close: closeAll };
    }
    const http = await serveHttp(HubModule.register(parts, { edge: true }), parts, { docs: true });
    opened.push(() => http.close());
    const { app, url } = http;
    log.directory?.setUrl(url);
    const smtpPort = app.get(EmailListener, { strict: false }).port;
    return { app, parts, url, ...(smtpPort === undefined ? {} : { smtpPort }), firstKeys, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
};
