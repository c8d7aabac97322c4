import { Module, type DynamicModule } from '@nestjs/common';
import { InteractionBus } from '#libs/bus';
import { Clock, IdFactory } from '#libs/kernel';
import { IngestController } from './ingest.controller.js';
import { IngestService } from './ingest.service.js';

/** The ingest API. Needs `InteractionBus`, `IdFactory` and `Clock` from `imports` or a global module, and `registerRawBody`. */
@Module({})
export class IngestModule {
  static register(options: { imports?: DynamicModule['imports'] } = {}): DynamicModule {
    return {
      module: IngestModule,
      imports: options.imports ?? [],
      controllers: [IngestController],
      providers: [
        {
          provide: IngestService,
          useFactory: (bus: InteractionBus, ids: IdFactory, clock: Clock) => new IngestService(bus, ids, clock),
          inject: [InteractionBus, IdFactory, Clock],
        },
      ],
    };
  }
}
