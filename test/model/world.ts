import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CommandRunner } from '#libs/commands/command-runner.js';
import { IdentityResolver } from '#libs/commands/identity-resolver/identity-resolver.js';
import { ContentReader } from '#libs/commands/intake/content.js';
import {
  DEFAULT_RULES,
  interactionDecider,
  type IdentityRules,
  type InteractionContent,
  type LinkEvent,
} from '#libs/domain';
import { streamId, type EventStore, type StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { IdFactory, codeOf, uuidOfBytes, type CustomerIdentifier, type Uuid } from '#libs/kernel';
import { Projector } from '#libs/projections/projector/projector.js';
import type { ReadModel } from '#libs/projections';
import { CustomerDirectory } from '#libs/queries/customers/customer-directory.js';
import { Labels } from '#libs/queries/shared/labels.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';

export const TENANT = 'acme';
export const ids = new IdFactory(Buffer.from('a pepper for the model'));
const reader = new ContentReader(ids, { countryOf: () => undefined });

/** Few identities and tight limits, so that hubs, shared numbers, namesakes and disputes all occur. */
export const RULES: IdentityRules = {
  ...DEFAULT_RULES,
  version: 'model',
  maxNames: 2,
  sameName: { identities: 4, confidence: 0.5 },
  limits: {
    ...DEFAULT_RULES.limits,
    phone: { neighbours: 3, holders: 3 },
    cookie: { neighbours: 2, holders: 2 },
    email: { neighbours: 4, holders: 3 },
  },
};

/** What a channel delivers. */
export interface Delivery {
  externalId: string;
  revision: number;
  sees: readonly CustomerIdentifier[];
  name?: string;
  identify?: boolean;
  /** Minutes after some morning. */
  minute: number;
  tenant?: string;
  direction?: 'inbound' | 'outbound';
}

export const contentOf = ({
  externalId,
  revision,
  sees,
  name,
  identify,
  minute,
  tenant = TENANT,
  direction = 'inbound',
}: Delivery): InteractionContent =>
  reader.interaction({
    tenant,
    channel: 'chat',
    account: 'shop',
    externalId,
    revision,
    kind: identify ? 'identify' : 'message',
    direction,
    occurredAt: new Date(Date.UTC(2025, 0, 6, 8, minute)).toISOString(),
    receivedAt: '2025-01-06T20:00:00.000Z',
    customer: { identifiers: [...sees], ...(name && { name }) },
  });

export const identityOf = ({ type, value }: CustomerIdentifier, tenant = TENANT): Uuid =>
  ids.identity(tenant, type, value);

export type AgentAct = 'link' | 'retract' | 'confirm' | 'reject';

/** Who is who and what came when, as anyone may read it: equal for equal histories. */
export interface Shown {
  /** By public id: its identities, and the contacts on its timeline, oldest first. */
  customers: Record<Uuid, { identities: Uuid[]; timeline: string[] }>;
  /** Pairs that wait for an agent. */
  proposals: string[];
}

// The driver frees a closed database when its statements are collected, and the collector does not see how large they are.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const WORLDS_A_COLLECTION = 50;
let closed = 0;
const collectNowAndThen = (): void => {
  if (++closed % WORLDS_A_COLLECTION === 0) collect();
};

/** The line from recorder to read model without its doors: real deciders, resolver, projector and SQLite. */
export class World {
  private readonly runner: CommandRunner;
  private readonly resolver: IdentityResolver;
  readonly readModel: ReadModel = SqliteReadModel.open({ file: ':memory:' });
  private readonly directory = new CustomerDirectory(this.readModel, new Labels(this.readModel));

  private readonly projector: Projector;

  constructor(
    rules: IdentityRules = RULES,
    readonly store: EventStore = new MemoryEventStore(),
  ) {
    this.runner = new CommandRunner(store);
    this.projector = new Projector(this.readModel, store);
    this.resolver = IdentityResolver.open({
      file: ':memory:',
      ids,
      append: (...append) => this.store.append(...append),
      rules,
    });
  }

  /** True where the contact was recorded or corrected, false for a duplicate or what the decider refuses. */
  async deliver(delivery: Delivery): Promise<boolean> {
    const content = contentOf(delivery);
    const { tenant = TENANT } = delivery;
    const stream = streamId('interaction', ids.interaction(tenant, 'chat', 'shop', delivery.externalId));
    const command = { type: 'RecordInteraction' as const, content };
    try {
      const { events } = await this.runner.run(interactionDecider, command, { stream, tenant, expectNew: true });
      return events.length > 0;
    } catch (error) {
      if (codeOf(error) === 'INTERACTION.CONFLICT') return false;
      throw error;
    }
  }

  async log(): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for await (const batch of this.store.readAll({ after: 0 })) events.push(...batch);
    return events;
  }

  /** Every identity that the log has carried so far, former eras too. */
  async carried(): Promise<Set<Uuid>> {
    type Carrying = Partial<Record<'identities' | 'former', { identity: Uuid }[]>>;
    const events = (await this.log()).map(({ data }) => data as Carrying);
    const carried = events.flatMap(({ identities = [], former = [] }) => [...identities, ...former]);
    return new Set(carried.map(({ identity }) => identity));
  }

  /**
   * The customer that answers to each id, as callers of the API find it.
   * @param first in the order in which they came
   */
  async answers(wanted: readonly Uuid[], first: readonly Uuid[]): Promise<Record<Uuid, Uuid>> {
    const answers: Record<Uuid, Uuid> = {};
    for (const id of wanted) {
      const found = (await this.directory.identitiesOf(TENANT, id))!;
      answers[id] = found.find((one) => first.includes(one)) ?? found.toSorted()[0]!;
    }
    return answers;
  }

  /** What the log says of a pair now. */
  async statusOf(a: Uuid, b: Uuid): Promise<'linked' | 'proposed' | 'none'> {
    const last = (await this.store.read(streamId('link', ids.link(TENANT, a, b)))).at(-1)?.type;
    if (last === 'IdentitiesLinked' || last === 'LinkConfirmed') return 'linked';
    return last === 'LinkProposed' ? 'proposed' : 'none';
  }

  async agent(act: AgentAct, one: Uuid, other: Uuid): Promise<void> {
    const [a, b] = one < other ? [one, other] : [other, one];
    const link = ids.link(TENANT, a, b);
    const stream = streamId('link', link);
    const past = await this.store.read(stream);
    const expected = past.length === 0 ? 'no_stream' : past.length - 1;
    const { type, data } = eventOf(act, link, a, b);
    const id = ids.event(stream, past.length, `agent ${act}`);
    await this.store.append(stream, [{ id, type, schema: 1, tenant: TENANT, data }], expected);
  }

  /** The resolver, and then the projector, take in what lies in the log, at most so many events each. */
  async follow(atMost: number): Promise<void> {
    for (const apply of [this.resolve, this.project]) {
      const after = await (apply === this.resolve ? this.resolver : this.projector).checkpoint();
      const events: StoredEvent[] = [];
      for await (const batch of this.store.readAll({ after, batchSize: atMost })) {
        events.push(...batch);
        break;
      }
      if (events.length > 0) await apply(events);
    }
  }

  /** Both reach the end of the log, decisions included. */
  async settle(): Promise<void> {
    for (let head = -1; head !== (await this.store.head());) {
      head = await this.store.head();
      while ((await this.resolver.checkpoint()) < head || (await this.projector.checkpoint()) < head)
        await this.follow(500);
    }
  }

  async shown(): Promise<Shown> {
    const { db } = this.readModel;
    const rows = await db.selectFrom('identity').select(['key', 'id', 'customer', 'whole', 'heldUntil']).execute();
    // When eras were told apart depends on who has read the log how far: here they come last, those that ended not at all.
    const identities = rows
      .map((row) => ({ ...row, id: uuidOfBytes(row.id) }))
      .toSorted((one, other) =>
        one.whole === null || other.whole === null
          ? Number(one.whole !== null) - Number(other.whole !== null) || one.key - other.key
          : one.id < other.id
            ? -1
            : 1,
      );
    const idOf = new Map(identities.map(({ key, id }) => [key, id]));
    const nameOf = new Map<number, Uuid>();
    for (const { id, customer } of identities) if (!nameOf.has(customer)) nameOf.set(customer, id);
    const customers: Shown['customers'] = {};
    for (const { id, customer, whole, heldUntil } of identities)
      if (whole === null || heldUntil !== null)
        (customers[nameOf.get(customer)!] ??= { identities: [], timeline: [] }).identities.push(id);
    const entries = await db
      .selectFrom('timeline')
      .innerJoin('entry', 'entry.position', 'timeline.position')
      .select(['entry.id', 'entry.revision', 'timeline.customer'])
      .orderBy('timeline.occurredAt')
      .orderBy('timeline.position')
      .execute();
    for (const { id, revision, customer } of entries)
      customers[nameOf.get(customer)!]!.timeline.push(`${uuidOfBytes(id)} ${revision}`);
    for (const customer of Object.values(customers)) customer.identities.sort();
    const proposed = await db.selectFrom('link').select(['a', 'b']).where('status', '=', 'proposed').execute();
    return { customers, proposals: proposed.map(({ a, b }) => `${idOf.get(a)} ${idOf.get(b)}`).toSorted() };
  }

  async close(): Promise<void> {
    await this.resolver.close();
    await this.readModel.close();
    collectNowAndThen();
  }

  private readonly resolve = (events: readonly StoredEvent[]): Promise<void> => this.resolver.apply(events);
  private readonly project = async (events: readonly StoredEvent[]): Promise<void> =>
    void (await this.projector.apply(events));
}

const eventOf = (act: AgentAct, link: Uuid, a: Uuid, b: Uuid): LinkEvent => {
  const by = { agent: 'kim' };
  switch (act) {
    case 'link':
      return { type: 'IdentitiesLinked', data: { link, a, b, by, evidence: 'agent', confidence: 1, reason: 'asked' } };
    case 'retract':
      return { type: 'LinkRetracted', data: { link, by, reason: 'two people' } };
    case 'confirm':
      return { type: 'LinkConfirmed', data: { link, by } };
    case 'reject':
      return { type: 'LinkRejected', data: { link, by } };
  }
};
