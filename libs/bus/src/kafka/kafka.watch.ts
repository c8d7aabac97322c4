import type { Admin } from 'kafkajs';
import type { Logger } from '#libs/kernel/logging.js';
import { withDeadline } from './deadline.js';
import { busUnavailable, inWords } from './kafka.errors.js';
import { KafkaHandled } from './kafka.handled.js';
import { kafkaClient, kafkaNames, type KafkaSettings } from './kafka.client.js';

const CLOSE_MS = 5000;

/** The topics, for a program that neither publishes nor records. It connects when it is first asked, and again when that failed. */
export class KafkaWatch {
  private readonly admin: Admin;
  private readonly handled: KafkaHandled;
  private connected: Promise<Admin> | undefined;

  /** @throws HubError `SETTINGS.INVALID` */
  constructor(
    private readonly settings: KafkaSettings,
    private readonly logger: Logger,
  ) {
    // Few: why it cannot connect is to be said before the deadline of a question.
    this.admin = kafkaClient(settings, logger).admin({ retry: { retries: 2 } });
    const { group, interactions } = kafkaNames(settings);
    this.handled = new KafkaHandled(() => this.connect(), group, interactions);
  }

  /** It has published nothing. */
  waitingFor(): undefined {
    return undefined;
  }

  /** As of `InteractionBus`. */
  handledSoFar(withinMs: number): Promise<boolean> {
    return this.handled.soFar(withinMs);
  }

  async close(): Promise<void> {
    if (!this.connected) return;
    const left = this.admin.disconnect();
    await withDeadline(CLOSE_MS, left, () => busUnavailable('it does not let go')).catch(() => undefined);
  }

  private connect(): Promise<Admin> {
    this.connected ??= this.admin.connect().then(
      () => this.admin,
      (error: unknown) => {
        this.connected = undefined;
        this.logger.warn(`Kafka: ${inWords(error, this.settings)}`);
        throw error;
      },
    );
    return this.connected;
  }
}
