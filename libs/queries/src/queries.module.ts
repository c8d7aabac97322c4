import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AsOfReader } from './as-of/as-of-reader.js';
import { GetConversationHandler } from './conversations/get-conversation.handler.js';
import { CustomerDirectory } from './customers/customer-directory.js';
import { CustomerReader } from './customers/customer-reader.js';
import { FindCustomersHandler } from './customers/find-customers.handler.js';
import { GetCustomerHandler } from './customers/get-customer.handler.js';
import { HealthController } from './health/health.controller.js';
import { Metrics } from './health/metrics.js';
import { Bodies } from './interactions/bodies.js';
import { GetInteractionHandler } from './interactions/get-interaction.handler.js';
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
  controllers: [QueriesController, HealthController],
  providers: [
    AsOfReader,
    Bodies,
    CustomerDirectory,
    CustomerReader,
    Entries,
    Freshness,
    Labels,
    LiveTimelines,
    Metrics,
    FindCustomersHandler,
    GetConversationHandler,
    GetCustomerHandler,
    GetInteractionHandler,
    GetReceiptHandler,
    GetTimelineHandler,
  ],
  exports: [CustomerDirectory, Metrics],
})
export class QueriesModule {}
