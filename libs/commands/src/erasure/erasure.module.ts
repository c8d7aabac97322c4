import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { CommandsModule } from '../commands.module.js';
import type { DeletedData, ErasableCustomers, ErasureTurns } from './erasable-customers.port.js';
import { ErasureController } from './erasure.controller.js';
import { Erasures } from './erasures.js';

export interface ErasureModuleOptions {
  /** Modules that export whatever the providers need. */
  imports: NonNullable<ModuleMetadata['imports']>;
  /** Binds the port `ErasableCustomers`. */
  erasableCustomers: Provider<ErasableCustomers>;
  /** Binds the port `DeletedData`. */
  deletedData: Provider<DeletedData>;
  /** Binds the port `ErasureTurns`. */
  turns: Provider<ErasureTurns>;
}

/** Erasures over HTTP, and what carries them out. */
@Module({})
export class ErasureModule {
  static register({ imports, erasableCustomers, deletedData, turns }: ErasureModuleOptions): DynamicModule {
    return {
      module: ErasureModule,
      imports: [CommandsModule, ...imports],
      controllers: [ErasureController],
      providers: [erasableCustomers, deletedData, turns, Erasures],
    };
  }
}
