import type { DynamicModule, FactoryProvider, Type } from '@nestjs/common';
import { DeletedData, ErasableCustomers, ErasureTurns, KnownConversations, KnownIdentities } from '#libs/commands';
import { AgentWorkModule } from '#libs/commands/agent-work/agent-work.module.js';
import { CommandsModule } from '#libs/commands/commands.module.js';
import { ConsentsModule } from '#libs/commands/consents/consents.module.js';
import { ErasureModule } from '#libs/commands/erasure/erasure.module.js';
import { LinksModule } from '#libs/commands/links/links.module.js';
import { CustomerIdentities } from '#libs/history';
import { HistoryModule } from '#libs/history/history.module.js';
import { ConversationFinder, CustomerDirectory, ErasureFindings, IdentityFinder } from '#libs/queries';
import { QueriesModule } from '#libs/queries/queries.module.js';

const knownIdentities: FactoryProvider<KnownIdentities> = {
  provide: KnownIdentities,
  inject: [IdentityFinder],
  useFactory: (finder: IdentityFinder) => ({
    find: async (tenant, reference) => (await finder.find(tenant, reference))?.id,
  }),
};

/**
 * What agents and analysts meet: questions, what they write down and decide, history.

 * @param deletedData what holds deleted data for a while in this profile
 * @param turns who keeps erasures from each other in it
 */
export const agentsModules = (deletedData: DeletedData, turns: ErasureTurns): (Type | DynamicModule)[] => [
  CommandsModule,
  QueriesModule,
  LinksModule.register({ imports: [QueriesModule], knownIdentities }),
  AgentWorkModule.register({
    imports: [QueriesModule],
    knownConversations: { provide: KnownConversations, useExisting: ConversationFinder },
  }),
  ConsentsModule.register({ imports: [QueriesModule], knownIdentities }),
  ErasureModule.register({
    imports: [QueriesModule],
    erasableCustomers: { provide: ErasableCustomers, useExisting: ErasureFindings },
    deletedData: { provide: DeletedData, useValue: deletedData },
    turns: { provide: ErasureTurns, useValue: turns },
  }),
  HistoryModule.register({
    imports: [QueriesModule],
    customerIdentities: { provide: CustomerIdentities, useExisting: CustomerDirectory },
  }),
];
