import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { Reasons } from '#libs/access/trail/reasons.js';
import { EventStore } from '#libs/event-store';
import { Clock } from '#libs/kernel';
import { HubSettings } from '#libs/kernel/settings.js';
import { GetAccessLogHandler } from './access-log/get-access-log.handler.js';
import { AsOfReader } from './as-of/as-of-reader.js';
import { ConversationFinder } from './conversations/conversation-finder.js';
import { Moments } from './as-of/moments.js';
import { GetConversationHandler } from './conversations/get-conversation.handler.js';
import { CustomerDirectory } from './customers/customer-directory.js';
import { CustomerReader } from './customers/customer-reader.js';
import { FindCustomersHandler } from './customers/find-customers.handler.js';
import { GetCustomerHandler } from './customers/get-customer.handler.js';
import { IdentityFinder } from './customers/identity-finder.js';
import { Reveals } from './customers/reveal.js';
import { CustomerDataController } from './data/customer-data.controller.js';
import { CustomerData } from './data/customer-data.js';
import { Bodies } from './interactions/bodies.js';
import { ErasureFindings } from './erasure/erasure-findings.js';
import { GetInteractionHandler } from './interactions/get-interaction.handler.js';
import { GetCustomerIdentitiesHandler } from './links/get-customer-identities.handler.js';
import { GetLinkProposalsHandler } from './links/get-link-proposals.handler.js';
import { LinkReader } from './links/link-reader.js';
import { LinkQueriesController } from './links/links.controller.js';
import { PreviewLinkHandler } from './links/preview-link.handler.js';
import { QueriesController } from './queries.controller.js';
import { GetReceiptHandler } from './receipts/get-receipt.handler.js';
import { Freshness } from './shared/freshness.js';
import { Labels } from './shared/labels.js';
import { Entries } from './timeline/entries.js';
import { GetTimelineHandler } from './timeline/get-timeline.handler.js';
import { LiveTimelines } from './timeline/live-timelines.js';

/** The questions agents ask, over the read model and the streams behind it. */
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [QueriesController, LinkQueriesController, CustomerDataController],
  providers: [
    AsOfReader,
    Bodies,
    ConversationFinder,
    CustomerData,
    CustomerDirectory,
    CustomerReader,
    Entries,
    ErasureFindings,
    Freshness,
    IdentityFinder,
    Labels,
    LinkReader,
    LiveTimelines,
    Moments,
    Reveals,
    {
      provide: AccessTrail,
      useFactory: (store: EventStore, clock: Clock) => new AccessTrail(store, clock),
      inject: [EventStore, Clock],
    },
    {
      provide: Reasons,
      useFactory: ({ reasonTenants }: HubSettings) => new Reasons(reasonTenants),
      inject: [HubSettings],
    },
    FindCustomersHandler,
    GetAccessLogHandler,
    GetConversationHandler,
    GetCustomerHandler,
    GetCustomerIdentitiesHandler,
    GetInteractionHandler,
    GetLinkProposalsHandler,
    GetReceiptHandler,
    GetTimelineHandler,
    PreviewLinkHandler,
  ],
  exports: [AccessTrail, ConversationFinder, CustomerDirectory, ErasureFindings, IdentityFinder, Reasons],
})
export class QueriesModule {}
