import type { StreamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { FixedClock } from '#libs/kernel';
import { ProjectionProgress, type ReadModel } from '#libs/projections';
import { Projector } from '#libs/projections/projector/projector.js';
import { ConversationFinder } from '../conversations/conversation-finder.js';
import { GetConversationHandler } from '../conversations/get-conversation.handler.js';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { CustomerReader } from '../customers/customer-reader.js';
import { FindCustomersHandler } from '../customers/find-customers.handler.js';
import { GetCustomerHandler } from '../customers/get-customer.handler.js';
import { IdentityFinder } from '../customers/identity-finder.js';
import { Bodies } from '../interactions/bodies.js';
import { GetInteractionHandler } from '../interactions/get-interaction.handler.js';
import { GetCustomerIdentitiesHandler } from '../links/get-customer-identities.handler.js';
import { LinkReader } from '../links/link-reader.js';
import { Freshness } from '../shared/freshness.js';
import { Labels } from '../shared/labels.js';
import { Entries } from '../timeline/entries.js';
import { GetTimelineHandler } from '../timeline/get-timeline.handler.js';
import { AsOfReader } from './as-of-reader.js';
import { BEGIN_MS, ids } from './as-of-people.contract.js';
import { Moments } from './moments.js';

/** A log with the read model folded from it, and everything agents may ask of it. */
export class AsOfHub {
  readonly clock = new FixedClock(BEGIN_MS);
  readonly store = new MemoryEventStore(this.clock);
  private readonly projector = new Projector(this.readModel, this.store);
  private readonly progress = new ProjectionProgress();
  private readonly labels = new Labels(this.readModel);
  private readonly directory = new CustomerDirectory(this.readModel, this.labels);
  private readonly entries = new Entries(this.readModel, this.labels);
  private readonly bodies = new Bodies(this.store);
  private readonly reader = new CustomerReader(this.readModel, this.labels, this.clock);
  private readonly moments = new Moments(this.store, this.clock);

  readonly asOf = new AsOfReader(this.store, new Freshness(this.progress));
  readonly customer = new GetCustomerHandler(this.directory, this.reader, this.moments);
  readonly find = new FindCustomersHandler(
    this.readModel,
    this.labels,
    new IdentityFinder(this.readModel, this.labels, ids, { countryOf: () => undefined }),
    this.reader,
    this.moments,
  );
  readonly timeline = new GetTimelineHandler(this.readModel, this.directory, this.labels, this.entries, this.bodies);
  private readonly finder = new ConversationFinder(this.readModel, this.labels);
  /** Of the hub as it stands, folded. */
  readonly conversations = {
    find: async (tenant: string, id: string) => (await this.fold()).finder.find(tenant, id),
  };
  readonly conversation = new GetConversationHandler(this.readModel, this.labels, this.entries, this.bodies);
  readonly interaction = new GetInteractionHandler(this.bodies, this.directory);
  readonly identities = new GetCustomerIdentitiesHandler(
    this.readModel,
    this.directory,
    new LinkReader(this.readModel, this.store),
  );

  private constructor(
    readonly readModel: ReadModel,
    private readonly newReadModel: () => Promise<ReadModel>,
  ) {}

  static async open(newReadModel: () => Promise<ReadModel>): Promise<AsOfHub> {
    return new AsOfHub(await newReadModel(), newReadModel);
  }

  /** Appends an event behind what its stream holds. */
  async put(stream: StreamId, type: string, tenant: string, data: object): Promise<void> {
    const { length } = await this.store.read(stream);
    const event = { id: ids.event(stream, length, type), type, schema: 1, tenant, data };
    await this.store.append(stream, [event], length === 0 ? 'no_stream' : length - 1);
  }

  async fold(): Promise<this> {
    await this.projector.catchUp();
    this.progress.advance({ position: await this.store.head(), corrected: [] });
    return this;
  }

  /** Another hub that was told the same up to a position, and nothing after it. */
  async replayedTo(position: number): Promise<AsOfHub> {
    const other = await AsOfHub.open(this.newReadModel);
    for await (const events of this.store.readAll({ after: 0, through: position }))
      for (const { stream, type, tenant, data, recordedAtMs } of events) {
        other.clock.advance(recordedAtMs - other.clock.nowMs());
        await other.put(stream, type, tenant, data);
      }
    return other.fold();
  }

  async close(): Promise<void> {
    await this.readModel.close();
    await this.store.close();
  }
}
