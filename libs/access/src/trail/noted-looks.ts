import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { SCHEMAS, type TimelineViewed } from '#libs/domain';
import { streamId, type EventStore, type NewEvent } from '#libs/event-store';
import { HubError, messageOf } from '#libs/kernel';
import { writeDurably } from '#libs/kernel/durable-file.js';
import type { Logger } from '#libs/kernel/logging.js';

const directoryOf = (dataDir: string): string => join(dataDir, 'looks');
const SUFFIX = '.json';

/** What the log keeps of a look. */
export const lookEvent = (tenant: string, data: TimelineViewed['data']): NewEvent => ({
  id: randomUUID(),
  type: 'TimelineViewed',
  schema: SCHEMAS.TimelineViewed!,
  tenant,
  data,
});

/**
 * Notes a look that somebody takes at the files themselves, for the hub of that directory to write into its log: it may
 * be running or not. Durable when it returns, so show what was looked at afterwards.
 * @throws HubError `ACCESS.NOT_NOTED` where the directory cannot be written
 */
export const noteLook = (dataDir: string, tenant: string, data: TimelineViewed['data']): void => {
  const directory = directoryOf(dataDir);
  const event = lookEvent(tenant, data);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeDurably(join(directory, `${event.id}${SUFFIX}`), Buffer.from(JSON.stringify(event)));
  } catch (cause) {
    throw new HubError(
      'ACCESS.NOT_NOTED',
      `${directory}: who looks at a customer cannot be written down (${messageOf(cause)}); nothing is shown without`,
      { cause },
    );
  }
};

/** Files of looks that wait to be written into the log. */
export const waitingLooks = (dataDir: string): string[] => {
  const directory = directoryOf(dataDir);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => join(directory, name));
};

/** Brings the looks noted beside a hub into its log: those it finds at its start, and others as they come. */
export class NotedLooks implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly directory: string;
  private watcher: FSWatcher | undefined;
  private taking: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataDir: string,
    private readonly store: EventStore,
    private readonly logger: Logger,
  ) {
    this.directory = directoryOf(dataDir);
  }

  async onApplicationBootstrap(): Promise<void> {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    this.watcher = watch(this.directory, { persistent: false }, () => void this.take());
    await this.take();
  }

  async onApplicationShutdown(): Promise<void> {
    this.watcher?.close();
    await this.taking;
  }

  /** Resolves when what is there now is in the log, or has been tried; what failed stays for the next time. */
  take(): Promise<void> {
    this.taking = this.taking
      .then(() => this.takeAll())
      .catch((error: unknown) => {
        this.logger.warn({ err: error }, 'looks noted beside the hub wait to be written into the log');
      });
    return this.taking;
  }

  private async takeAll(): Promise<void> {
    for (const file of waitingLooks(this.dataDir)) {
      const event = JSON.parse(readFileSync(file, 'utf8')) as NewEvent;
      // Under its own id: one that was written already, before a crash, is recognised.
      await this.store.append(streamId('access', event.id), [event], 'no_stream');
      rmSync(file);
    }
  }
}
