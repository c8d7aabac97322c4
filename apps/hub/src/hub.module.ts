import { Module, type DynamicModule, type FactoryProvider, type Provider } from '@nestjs/common';
import { AccessModule } from '#libs/access/access.module.js';
import { NotedLooks } from '#libs/access/trail/noted-looks.js';
import type { ApiKeys, BearerTokens } from '#libs/access';
import { InteractionBus } from '#libs/bus';
import { ParkDelivery } from '#libs/channels';
import type { DeclaredAccountDirectory } from '#libs/channels/accounts/declared.account-directory.js';
import { ChannelsModule } from '#libs/channels/channels.module.js';
import { IngestModule } from '#libs/channels/ingest/ingest.module.js';
import { DeletedData, ErasableCustomers, KnownConversations, KnownIdentities } from '#libs/commands';
import { AgentWorkModule } from '#libs/commands/agent-work/agent-work.module.js';
import { IDENTITY_RULES } from '#libs/commands/identity-rules/identity-rules.token.js';
import { CommandsModule } from '#libs/commands/commands.module.js';
import { ConsentsModule } from '#libs/commands/consents/consents.module.js';
import { ErasureModule } from '#libs/commands/erasure/erasure.module.js';
import { LinksModule } from '#libs/commands/links/links.module.js';
import type { IdentityRules } from '#libs/domain';
import { DeliveryLedger, EventStore, ParkedMessages } from '#libs/event-store';
import { CustomerIdentities } from '#libs/history';
import { HistoryModule } from '#libs/history/history.module.js';
import { AccountCountries, Clock, IdFactory } from '#libs/kernel';
import { HubSettings } from '#libs/kernel/settings.js';
import { Tracing } from '#libs/kernel/tracing/tracing.port.js';
import { type Logger } from '#libs/kernel/logging.js';
import { KeyVault } from '#libs/privacy';
import type { SealedEventStoreSet } from '#libs/privacy/open-sealed-event-store.js';
import { ProjectionProgress, ReadModel } from '#libs/projections';
import type { DeletedRows } from '#libs/projections/read-model/read-model-home.port.js';
import {
  ConversationFinder,
  CustomerDirectory,
  ErasureFindings,
  IdentityFinder,
  Metrics,
  WaitingReceipts,
} from '#libs/queries';
import { QueriesModule } from '#libs/queries/queries.module.js';
import { DataFiles } from './data-files.js';

/** The engines and values that all rooms share, opened before Nest starts and closed after it has stopped. */
export interface HubParts {
  settings: HubSettings;
  logger: Logger;
  clock: Clock;
  log: SealedEventStoreSet;
  bus: InteractionBus;
  readModel: ReadModel;
  /** What holds deleted rows beside the files of the data directory. */
  deletedRows: readonly DeletedRows[];
  progress: ProjectionProgress;
  keys: ApiKeys;
  /** Absent where the settings name no OpenID provider. */
  tokens?: BearerTokens;
  accounts: DeclaredAccountDirectory;
  rules: IdentityRules;
  /** Absent where nobody collects traces. */
  tracing?: Tracing;
}

@Module({})
class EnginesModule {
  static register(parts: HubParts): DynamicModule {
    const providers: Provider[] = [
      { provide: HubSettings, useValue: parts.settings },
      { provide: Clock, useValue: parts.clock },
      { provide: IdFactory, useValue: parts.log.ids },
      { provide: EventStore, useValue: parts.log.events },
      { provide: ParkedMessages, useValue: parts.log.parked },
      { provide: KeyVault, useValue: parts.log.vault },
      { provide: DeliveryLedger, useValue: parts.log.ledger },
      { provide: InteractionBus, useValue: parts.bus },
      { provide: WaitingReceipts, useExisting: InteractionBus },
      { provide: ReadModel, useValue: parts.readModel },
      { provide: ProjectionProgress, useValue: parts.progress },
      { provide: AccountCountries, useValue: parts.accounts },
      { provide: IDENTITY_RULES, useValue: parts.rules },
      { provide: ParkDelivery, useValue: parkDelivery(parts) },
      ...(parts.tracing ? [{ provide: Tracing, useValue: parts.tracing }] : []),
    ];
    return { module: EnginesModule, global: true, providers, exports: providers };
  }
}

/** The whole line in one program. */
@Module({})
export class HubModule {
  constructor(metrics: Metrics, bus: InteractionBus) {
    // A bus that cannot be asked must not keep the other figures back.
    metrics.watch('hilo_bus_in_flight', 'Contacts accepted and not yet recorded', () =>
      bus.backlog().catch(() => Number.NaN),
    );
  }

  /** `edge` false leaves the doors out: for a program that brings its own contacts. */
  static register(parts: HubParts, { edge }: { edge: boolean }): DynamicModule {
    const { accounts, keys, tokens, logger, clock, settings } = parts;
    return {
      module: HubModule,
      providers: [
        { provide: NotedLooks, useFactory: () => new NotedLooks(settings.dataDir, parts.log.events, logger) },
      ],
      imports: [
        EnginesModule.register(parts),
        AccessModule.register({
          keys,
          logger,
          clock,
          ...(tokens === undefined ? {} : { tokens }),
          ...(settings.rateLimit === undefined ? {} : { rateLimit: settings.rateLimit }),
        }),
        ...(edge ? [ChannelsModule.register(accounts), IngestModule.register()] : []),
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
          deletedData: { provide: DeletedData, useFactory: () => new DataFiles(settings.dataDir, parts.deletedRows) },
        }),
        HistoryModule.register({
          imports: [QueriesModule],
          customerIdentities: { provide: CustomerIdentities, useExisting: CustomerDirectory },
        }),
      ],
    };
  }
}

const knownIdentities: FactoryProvider<KnownIdentities> = {
  provide: KnownIdentities,
  inject: [IdentityFinder],
  useFactory: (finder: IdentityFinder) => ({
    find: async (tenant, reference) => (await finder.find(tenant, reference))?.id,
  }),
};

// What a channel could not read counts as taken and parked, whatever door it came through.
const parkDelivery = ({ log }: HubParts): ParkDelivery => ({
  park: async ({ stage: _stage, ...message }) => {
    const id = await log.parked.park({ ...message, stage: 'parse' });
    log.ledger.count(message, 'parked');
    await log.ledger.flush();
    return id;
  },
});
