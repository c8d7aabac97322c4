import { upcast, type ContactSummary, type LinkEvent } from '#libs/domain';
import type { EventStore, StoredEvent } from '#libs/event-store';
import { HubError, codeOf } from '#libs/kernel';
import { READ_MODEL_VERSION, type ReadModel } from '../read-model/read-model.port.js';
import { isPlaceOf, membersOf, nameOf, WHOLE, type Shard } from '../shards.js';
import { deriveCustomers } from '../customers/customers.projection.js';
import { FoldContext } from './fold-context.js';
import { fold } from './fold.js';
import { foldStatements } from './statements.js';

/** What of the event store a projector needs. */
export type EventLog = Pick<EventStore, 'read' | 'readAll' | 'head'>;

export interface ProjectorOptions {
  /** How a rebuild writes. @default false */
  bulk?: boolean;
  /** Whose events it folds; it passes over those of others. @default all */
  shard?: Shard;
}

/** Moves the read model along the log: rows and checkpoint in one transaction, in order, once. */
export class Projector {
  private readonly context: FoldContext;
  private name: string;
  private readonly isOurs: (tenant: string) => boolean;
  private place?: number;

  constructor(
    private readonly readModel: ReadModel,
    private readonly log: EventLog,
    private readonly options: ProjectorOptions = {},
  ) {
    const { bulk = false, shard = WHOLE } = options;
    this.context = new FoldContext(foldStatements(readModel.db), bulk, shard);
    this.name = nameOf(shard);
    this.isOurs = membersOf(shard);
  }

  /**
   * Position of the last folded event.
   * @throws HubError `READ_MODEL.OUTDATED` when its rows have another shape than this release writes,
   *   `READ_MODEL.DIVIDED_OTHERWISE` when its tenants are divided in other shards.
   */
  async checkpoint(): Promise<number> {
    this.place ??= await this.readModel.transaction(async (session) => {
      const { statements } = this.context;
      const rows = await session.all(statements.readCheckpoints, {});
      const row = rows.find(({ name }) => isPlaceOf(name, this.options.shard ?? WHOLE));
      if (!row && rows.length > 0)
        throw new HubError(
          'READ_MODEL.DIVIDED_OTHERWISE',
          `the read model keeps the places ${rows.map(({ name }) => name).join(', ')}, and none of ${this.name}`,
        );
      if (!row)
        await session.run(statements.startCheckpoint, { name: this.name, version: READ_MODEL_VERSION, position: 0 });
      if (row && row.version !== READ_MODEL_VERSION)
        throw new HubError(
          'READ_MODEL.OUTDATED',
          `the read model has shape ${row.version}, this release writes ${READ_MODEL_VERSION}; run hilo rebuild`,
        );
      this.name = row?.name ?? this.name;
      return row?.position ?? 0;
    });
    return this.place;
  }

  /**
   * Folds events that follow the checkpoint, without a gap; those before it are folded already. Answers with the recorded
   * positions of what changed.
   * @throws HubError `READ_MODEL.FENCED` when another projector has moved the checkpoint: this one must stop.
   */
  async apply(events: readonly StoredEvent[]): Promise<number[]> {
    const previous = await this.checkpoint();
    const next = events.at(-1)?.position;
    const corrected: number[] = [];
    if (next === undefined || next <= previous) return corrected;
    const { context } = this;
    const findRecorded = async (stream: StoredEvent['stream']) => {
      const position = (await this.log.read(stream))[0]?.position;
      if (position !== undefined) corrected.push(position);
      return position;
    };
    try {
      await this.readModel.transaction(async (session) => {
        const move = { name: this.name, version: READ_MODEL_VERSION, previous, next };
        session.must(context.statements.moveCheckpoint, move, () => fenced(previous));
        await context.begin(session);
        const ours = events.filter(({ position, tenant }) => position > previous && this.isOurs(tenant));
        if (session.isFar) await context.prefetch(contactsOf(ours), decisionsOf(ours));
        for (const event of ours) {
          // Most events bring nothing that has to be asked for: no turn of the event loop for those.
          const asking = fold(context, event, findRecorded);
          if (asking) await asking;
        }
        await context.flush();
        await context.settle();
      });
      this.place = next;
      return [...corrected, ...context.reattributed];
    } catch (error) {
      context.reset();
      // A commit whose answer was lost may have come through: where the rows stand is to be read again.
      if (codeOf(error) !== 'READ_MODEL.FENCED') this.place = undefined;
      throw error;
    }
  }

  /** Says whose each identity is: the end of a bulk write, before `finishBulk`. */
  deriveCustomers(): Promise<void> {
    return this.readModel.transaction((session) => deriveCustomers(session, this.context.statements));
  }

  /**
   * Folds everything up to the head of the log; `report` hears of each batch.
   * @param through the last position to be folded. @default the head
   */
  async catchUp(report?: (position: number) => void, batchSize = 1000, through?: number): Promise<void> {
    const until = through === undefined ? {} : { through };
    for await (const events of this.log.readAll({ after: await this.checkpoint(), batchSize, ...until })) {
      await this.apply(events);
      report?.(this.place!);
    }
  }
}

const fenced = (previous: number): HubError =>
  new HubError('READ_MODEL.FENCED', `another projector moved the checkpoint away from ${previous}; only one may run`);

const LINK_EVENTS: ReadonlySet<string> = new Set<LinkEvent['type']>([
  'IdentitiesLinked',
  'LinkProposed',
  'LinkConfirmed',
  'LinkRejected',
  'LinkRetracted',
]);

/** What the decisions on links among these events say. */
const decisionsOf = (events: readonly StoredEvent[]): LinkEvent['data'][] =>
  events.filter(({ type }) => LINK_EVENTS.has(type)).map((event) => upcast(event).data as LinkEvent['data']);

/** What the recorded contacts among these events say. */
const contactsOf = (events: readonly StoredEvent[]): ContactSummary[] =>
  events.filter(({ type }) => type === 'InteractionRecorded').map((event) => upcast(event).data as ContactSummary);
