import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, codeOf } from '#libs/kernel';
import { HubSettings } from '#libs/kernel/settings.js';
import { AccountDirectory } from '../accounts/account-directory.port.js';
import type { ChannelAccount } from '../channel-adapter.port.js';
import { DeliveryCounters } from '../intake/delivery-counters.js';
import { InteractionPublisher } from '../intake/interaction-publisher.js';
import { settingsOf } from '../shared/settings-of.js';
import { QueueLogSettings } from './queue-log.config.js';
import { QueueLogFollower } from './queue-log.follower.js';

/** Follows the queue logs of all accounts that name a file, for as long as the program runs. */
@Injectable()
export class QueueLogTail implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(QueueLogTail.name);
  private readonly stopped = new AbortController();
  private running: Promise<void>[] = [];

  constructor(
    private readonly settings: HubSettings,
    private readonly directory: AccountDirectory,
    private readonly publisher: InteractionPublisher,
    private readonly counters: DeliveryCounters,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    for (const account of this.directory.all()) {
      if (account.adapter !== 'asterisk-queue-log') continue;
      const { file, pollMs, maxOpenHours } = settingsOf(QueueLogSettings, account);
      if (file !== undefined) this.running.push(this.follow(account, file, pollMs, maxOpenHours));
    }
  }

  /** Resolves when no file is read and nothing is being handed over any more. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.running);
    this.running = [];
  }

  private async follow(account: ChannelAccount, file: string, pollMs: number, maxOpenHours: number): Promise<void> {
    const follower = new QueueLogFollower({
      file,
      stateFile: join(this.settings.dataDir, 'channels', `queue-log-${account.id}.json`),
      account: account.name,
      maxOpenHours,
      publish: async (contacts) => void (await this.publisher.publishParsed(account, contacts, this.clock.nowMs())),
      ignored: ({ reason }) => this.counters.ignored(account.adapter, reason),
      nowMs: () => this.clock.nowMs(),
      warn: (message) => this.logger.warn(`${account.id}: ${message}`),
    });
    const { signal } = this.stopped;
    let lastFailure: string | undefined;
    while (!signal.aborted) {
      try {
        await follower.poll();
        lastFailure = undefined;
      } catch (error) {
        const failure = codeOf(error) ?? 'unknown failure';
        // Said once per cause: a full bus would otherwise fill the log.
        if (failure !== lastFailure) this.logger.warn(`${account.id}: reading pauses: ${failure}`);
        lastFailure = failure;
      }
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
    await follower.close();
  }
}
