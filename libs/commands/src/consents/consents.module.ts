import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { LinksModuleOptions } from '../links/links.module.js';
import { ConsentsController } from './consents.controller.js';

/** Consents and preferences over HTTP. Their command handler is in `CommandsModule`. */
@Module({})
export class ConsentsModule {
  static register({ imports, knownIdentities }: LinksModuleOptions): DynamicModule {
    return {
      module: ConsentsModule,
      imports: [CqrsModule.forRoot(), ...imports],
      controllers: [ConsentsController],
      providers: [knownIdentities],
    };
  }
}
