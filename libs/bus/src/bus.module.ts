import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { HubError } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import { EmbeddedInteractionBus } from './embedded/embedded.interaction-bus.js';
import { InteractionBus } from './interaction-bus.port.js';

/**
 * The bus that `settings.busUrl` names.
 * @throws HubError `SETTINGS.INVALID`
 */
export const openBus = ({ busUrl, busCapacity }: Pick<HubSettings, 'busUrl' | 'busCapacity'>): InteractionBus => {
  if (busUrl === 'embedded:') return new EmbeddedInteractionBus({ capacity: busCapacity });
  const scheme = /^[^:]*/.exec(busUrl)![0];
  throw new HubError(
    'SETTINGS.INVALID',
    scheme === 'kafka'
      ? 'HILO_BUS_URL: the engine kafka is not part of this release; use embedded:'
      : `HILO_BUS_URL: unknown engine "${scheme}"; allowed is embedded:`,
  );
};

/** Offers the bus everywhere; on shutdown it drains before the stores close. */
@Module({})
export class BusModule implements OnModuleDestroy {
  constructor(@Inject(InteractionBus) private readonly bus: InteractionBus) {}

  static forRoot(settings: HubSettings): DynamicModule {
    return {
      module: BusModule,
      global: true,
      providers: [{ provide: InteractionBus, useFactory: () => openBus(settings) }],
      exports: [InteractionBus],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.bus.close();
  }
}
