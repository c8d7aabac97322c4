import 'reflect-metadata';
import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PostgresApiKeys } from '#libs/access/postgres.api-keys.js';
import { openBus } from '#libs/bus/bus.module.js';
import { TracedInteractionBus } from '#libs/bus/traced.interaction-bus.js';
import type { InteractionBus } from '#libs/bus';
import { readAccountsFile } from '#libs/channels/accounts/read-accounts.js';
import { channelAdapters } from '#libs/channels/channels.module.js';
import { SystemClock, type Clock } from '#libs/kernel';
import { requireSharedEngines, type SharedSetting } from '#libs/kernel/engines.js';
import { createLogger } from '#libs/kernel/logging.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { openTracing } from '#libs/kernel/tracing/open-tracing.js';
import type { SealedEventStoreSet } from '#libs/privacy/open-sealed-event-store.js';
import { openTokens } from './access.js';
import { Closing } from './closing.js';
import { kafkaBusNeeds } from './kafka-bus-needs.js';
import type { BesideLog } from './open-cluster.js';
import type { ProgramParts } from './parts.js';
import type { Running } from './run-program.js';
import { serveHttp } from './serve-http.js';

export interface RunningProgram extends Running {
  app: NestFastifyApplication;
  /** Address of its API and of `/livez`, `/readyz` and `/metrics`. */
  url: string;
}

/** One part of the line. */
export interface Program<Log extends BesideLog = SealedEventStoreSet> {
  name: string;
  /** Settings that must name something shared with the other programs. */
  needs: readonly SharedSetting[];
  /** Whether people and integrations meet its API, and find a page about it. */
  docs: boolean;
  /** Opens the log, or what lies beside it. */
  open: (settings: HubSettings, clock: Clock) => Promise<Log>;
  /** Opens what only this program has, and says what it consists of. */
  build: (parts: ProgramParts<Log>, start: ProgramStart) => Promise<DynamicModule>;
}

export interface ProgramStart {
  closing: Closing;
  /** Ends the program with exit code 1. */
  onFailure: (error: Error) => void;
}

/**
 * Opens what every part of the line has, puts the program together, and listens.
 * @throws HubError `SETTINGS.INVALID`, and what the engines throw, before anything runs
 */
export const startProgram = async <Log extends BesideLog>(
  { name, needs, docs, open, build }: Program<Log>,
  settings: HubSettings,
  onFailure: (error: Error) => void,
): Promise<RunningProgram> => {
  requireSharedEngines(settings, name, needs);
  const clock = new SystemClock();
  const logger = createLogger(settings.logLevel, name);
  const accounts = readAccountsFile(settings.accountsFile, {
    adapters: channelAdapters(),
    env: process.env,
    defaultCountry: settings.defaultCountry,
  });
  const closing = new Closing();
  try {
    const tracing = await openTracing(process.env, name, (problem) => logger.warn(problem));
    if (tracing) closing.add(() => tracing.close());
    const log = await open(settings, clock);
    closing.add(() => log.close());
    const keys = await PostgresApiKeys.open({ url: settings.readModelUrl, clock });
    closing.add(() => keys.close());
    const parts: ProgramParts<Log> = {
      settings,
      logger,
      clock,
      log,
      keys,
      accounts,
      ...(await openTokens(settings, clock, logger)),
      ...(tracing && { tracing }),
    };
    const module = await build(parts, { closing, onFailure });
    const http = await serveHttp(module, parts, { docs });
    closing.add(() => http.close());
    return { app: http.app, url: http.url, close: () => closing.all() };
  } catch (error) {
    await closing.all();
    throw error;
  }
};

/** The bus that the settings name, for a program that publishes or records. */
export const openProgramBus = async (
  { settings, log, logger, clock, tracing }: ProgramParts<BesideLog>,
  { closing, onFailure }: ProgramStart,
): Promise<InteractionBus> => {
  const bus = await openBus(settings, () => kafkaBusNeeds({ log, logger, clock }, onFailure));
  closing.add(() => bus.close());
  return tracing ? new TracedInteractionBus(bus, tracing) : bus;
};

/** What a program says once it runs. */
export const announce =
  (name: string) =>
  ({ url }: RunningProgram): void =>
    void process.stdout.write(`Hilo ${name} is listening on ${url}\n`);
