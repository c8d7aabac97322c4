import { Module, type DynamicModule } from '@nestjs/common';
import { AccountCountries } from '#libs/kernel';
import { AccountDirectory } from './accounts/account-directory.port.js';
import { SmtpDeclaration } from './accounts/accounts.config.js';
import type { DeclaredAccountDirectory } from './accounts/declared.account-directory.js';
import { AsteriskQueueLogAdapter } from './asterisk-queue-log/queue-log.adapter.js';
import { QueueLogTail } from './asterisk-queue-log/queue-log.tail.js';
import { ContactFormAdapter } from './contact-form/contact-form.adapter.js';
import { EmailAdapter } from './email/email.adapter.js';
import { EmailListener } from './email/email.listener.js';
import { ChannelAdapters } from './intake/channel-adapters.js';
import { DeliveryCounters } from './intake/delivery-counters.js';
import { DeliveryIntake } from './intake/delivery-intake.js';
import { InteractionPublisher } from './intake/interaction-publisher.js';
import { Undeliverable } from './intake/undeliverable.js';
import { MessengerAdapter } from './messenger/messenger.adapter.js';
import { SegmentAdapter } from './segment/segment.adapter.js';
import { SegmentController } from './segment/segment.controller.js';
import { TelegramAdapter } from './telegram/telegram.adapter.js';
import { TwilioVoiceAdapter } from './twilio-voice/twilio-voice.adapter.js';
import { WebhookController } from './webhook.controller.js';

/** Every adapter, one line each. */
export const channelAdapters = (): ChannelAdapters =>
  new ChannelAdapters([
    new AsteriskQueueLogAdapter(),
    new ContactFormAdapter(),
    new EmailAdapter(),
    new MessengerAdapter(),
    new SegmentAdapter(),
    new TelegramAdapter(),
    new TwilioVoiceAdapter(),
  ]);

/**
 * The edge: webhooks, forms, tracking calls, mail and queue logs, onto the bus. Expects `HubSettings`, `Clock`,
 * `IdFactory`, `InteractionBus` and `ParkDelivery` from global modules of the program.
 */
@Module({})
export class ChannelsModule {
  /** `accounts`: what the accounts file declares. */
  static register(accounts: DeclaredAccountDirectory): DynamicModule {
    return {
      module: ChannelsModule,
      controllers: [WebhookController, SegmentController],
      providers: [
        { provide: ChannelAdapters, useFactory: channelAdapters },
        { provide: AccountDirectory, useValue: accounts },
        { provide: AccountCountries, useValue: accounts },
        { provide: SmtpDeclaration, useValue: accounts.smtp },
        DeliveryCounters,
        DeliveryIntake,
        InteractionPublisher,
        Undeliverable,
        EmailListener,
        QueueLogTail,
      ],
      exports: [
        AccountDirectory,
        AccountCountries,
        ChannelAdapters,
        InteractionPublisher,
        DeliveryCounters,
        Undeliverable,
      ],
    };
  }
}
