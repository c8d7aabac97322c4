import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AgentWorkController } from './agent-work.controller.js';
import type { KnownConversations } from './known-conversations.port.js';

export interface AgentWorkModuleOptions {
  /** Modules that export whatever `knownConversations` needs. */
  imports: NonNullable<ModuleMetadata['imports']>;
  /** Binds the port `KnownConversations`. */
  knownConversations: Provider<KnownConversations>;
}

/** Notes and commitments over HTTP. Their command handlers are in `CommandsModule`. */
@Module({})
export class AgentWorkModule {
  static register({ imports, knownConversations }: AgentWorkModuleOptions): DynamicModule {
    return {
      module: AgentWorkModule,
      imports: [CqrsModule.forRoot(), ...imports],
      controllers: [AgentWorkController],
      providers: [knownConversations],
    };
  }
}
