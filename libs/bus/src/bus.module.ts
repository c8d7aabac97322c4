import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { HubError } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import { EmbeddedInteractionBus } from './embedded/embedded.interaction-bus.js';
import { InteractionBus } from './interaction-bus.port.js';
import type { KafkaBusNeeds } from './kafka/kafka.interaction-bus.js';

/**
 * The bus that `settings.busUrl` names.
 * @param needs what a bus that keeps messages needs of the rooms around it; the embedded one asks for nothing
 * @throws HubError `SETTINGS.INVALID`, `BUS.UNAVAILABLE`, `BUS.TOPICS_MISSING`
 */
export const openBus = async (settings: HubSettings, needs: () => KafkaBusNeeds): Promise<InteractionBus> => {
  const { busUrl, busCapacity } = settings;
  if (busUrl === 'embedded:') return new EmbeddedInteractionBus({ capacity: busCapacity });
  const scheme = /^[^:]*/.exec(busUrl)![0];
  if (scheme !== 'kafka')
    throw new HubError(
      'SETTINGS.INVALID',
      `HILO_BUS_URL: unknown engine "${scheme}"; allowed are embedded: and kafka://host:port`,
    );
  // Only who runs on Kafka pays for the loading of its client.
  const { KafkaInteractionBus } = await import('./kafka/kafka.interaction-bus.js');
  return KafkaInteractionBus.open(settings, needs());
};

/** Offers the bus everywhere; on shutdown it drains before the stores close. */
@Module({})
export class BusModule implements OnModuleDestroy {
  constructor(@Inject(InteractionBus) private readonly bus: InteractionBus) {}

  static forRoot(settings: HubSettings, needs: () => KafkaBusNeeds): DynamicModule {
    return {
      module: BusModule,
      global: true,
      providers: [{ provide: InteractionBus, useFactory: () => openBus(settings, needs) }],
      exports: [InteractionBus],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.bus.close();
  }
}
