import { Inject, Module, type DynamicModule, type InjectionToken, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, IdFactory, SystemClock } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import { EventStore } from './event-store.port.js';
import { DeliveryLedger } from './ledger/delivery-ledger.port.js';
import { openEventStore, type EventStoreSet, type OpenEventStoreOptions } from './open-event-store.js';
import { ParkedMessages } from './parked/parked-messages.port.js';

/** Token of the whole set, for what the ports do not offer: `directory`, raw reading. */
export const EVENT_STORE_SET = Symbol('EventStoreSet');

export interface EventStoreModuleOptions extends OpenEventStoreOptions {
  /** @default the system's */
  clock?: Clock;
}

/** Opens the event store that the settings name, offers its ports everywhere, closes it last of all. */
@Module({})
export class EventStoreModule implements OnApplicationShutdown {
  constructor(@Inject(EVENT_STORE_SET) private readonly set: EventStoreSet) {}

  static forRoot(settings: HubSettings, options: EventStoreModuleOptions = {}): DynamicModule {
    const provide = <T>(token: InjectionToken, pick: (set: EventStoreSet) => T) => ({
      provide: token,
      useFactory: pick,
      inject: [EVENT_STORE_SET],
    });
    return {
      module: EventStoreModule,
      global: true,
      providers: [
        {
          provide: EVENT_STORE_SET,
          useFactory: () => openEventStore(settings, options.clock ?? new SystemClock(), options),
        },
        provide(EventStore, ({ events }) => events),
        provide(ParkedMessages, ({ parked }) => parked),
        provide(DeliveryLedger, ({ ledger }) => ledger),
        provide(IdFactory, ({ ids }) => ids),
      ],
      exports: [EVENT_STORE_SET, EventStore, ParkedMessages, DeliveryLedger, IdFactory],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.set.close();
  }
}
