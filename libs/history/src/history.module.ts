import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import type { CustomerIdentities } from './customer-identities.port.js';
import { HistoryController } from './history.controller.js';

export interface HistoryModuleOptions {
  /** Modules that export `EventStore` and whatever `customerIdentities` needs. */
  imports: NonNullable<ModuleMetadata['imports']>;
  /** Binds the port `CustomerIdentities`. */
  customerIdentities: Provider<CustomerIdentities>;
}

/** The history API. The command line uses the functions of this room without it. */
@Module({})
export class HistoryModule {
  static register({ imports, customerIdentities }: HistoryModuleOptions): DynamicModule {
    return { module: HistoryModule, imports, controllers: [HistoryController], providers: [customerIdentities] };
  }
}
