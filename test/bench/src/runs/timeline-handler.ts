import type { EventStore } from '#libs/event-store';
import type { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { CustomerDirectory } from '#libs/queries/customers/customer-directory.js';
import { Bodies } from '#libs/queries/interactions/bodies.js';
import { Labels } from '#libs/queries/shared/labels.js';
import { Entries } from '#libs/queries/timeline/entries.js';
import { GetTimelineHandler } from '#libs/queries/timeline/get-timeline.handler.js';

/** What answers for a timeline, in process. */
export const timelineHandler = (readModel: SqliteReadModel, log: EventStore): GetTimelineHandler => {
  const labels = new Labels(readModel);
  return new GetTimelineHandler(
    readModel,
    new CustomerDirectory(readModel, labels),
    labels,
    new Entries(readModel, labels),
    new Bodies(log),
  );
};
