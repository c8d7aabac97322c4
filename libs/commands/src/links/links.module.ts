import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { KnownIdentities } from './known-identities.port.js';
import { LinksController } from './links.controller.js';

export interface LinksModuleOptions {
  /** Modules that export whatever `knownIdentities` needs. */
  imports: NonNullable<ModuleMetadata['imports']>;
  /** Binds the port `KnownIdentities`. */
  knownIdentities: Provider<KnownIdentities>;
}

/** Links and proposals over HTTP. Their command handler is in `CommandsModule`. */
@Module({})
export class LinksModule {
  static register({ imports, knownIdentities }: LinksModuleOptions): DynamicModule {
    return {
      module: LinksModule,
      imports: [CqrsModule.forRoot(), ...imports],
      controllers: [LinksController],
      providers: [knownIdentities],
    };
  }
}
