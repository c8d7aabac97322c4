import fc from 'fast-check';
import type { CarriedIdentity, InteractionContent } from '#libs/domain';
import { streamId, type StreamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { FixedClock, IdFactory, codeOf, toInstant, uuidOfBytes, type Uuid } from '#libs/kernel';
import { ProjectionProgress, type ReadModel } from '#libs/projections';
import { Projector } from '#libs/projections/projector/projector.js';
import { interactionContent } from '#libs/testing';
import { ConversationFinder } from '../conversations/conversation-finder.js';
import { GetConversationHandler, GetConversationQuery } from '../conversations/get-conversation.handler.js';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { CustomerReader } from '../customers/customer-reader.js';
import { IdentityFinder } from '../customers/identity-finder.js';
import { FindCustomersHandler, FindCustomersQuery } from '../customers/find-customers.handler.js';
import { GetCustomerHandler, GetCustomerQuery } from '../customers/get-customer.handler.js';
import { Bodies } from '../interactions/bodies.js';
import { GetInteractionHandler, GetInteractionQuery } from '../interactions/get-interaction.handler.js';
import { GetCustomerIdentitiesHandler, GetCustomerIdentitiesQuery } from '../links/get-customer-identities.handler.js';
import { LinkReader } from '../links/link-reader.js';
import type { LinkDto } from '../links/links.dto.js';
import type { AsOf, PageBounds } from '../shared/cursor.js';
import { Freshness } from '../shared/freshness.js';
import { Labels } from '../shared/labels.js';
import { Entries } from '../timeline/entries.js';
import { GetTimelineHandler, GetTimelineQuery } from '../timeline/get-timeline.handler.js';
import { AsOfReader } from './as-of-reader.js';
import { Moments } from './moments.js';
import { Past } from './past.js';

const ids = new IdFactory(Buffer.from('a pepper for tests'));
const BEGIN_MS = Date.UTC(2026, 0, 1);
const PEOPLE = 6;
const CONVERSATIONS = 4;

let newReadModel: () => Promise<ReadModel>;
let numRuns: number;

/** That the past is what replaying the log up to there gives, on every engine of the read model. */
export const asOfContract = (name: string, open: () => Promise<ReadModel>, runs: number): void => {
  newReadModel = open;
  numRuns = runs;
  describe(`the past in ${name}`, rules);
};

/** A log with the read model folded from it, and everything agents may ask of it. */
class Hub {
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

  private constructor(readonly readModel: ReadModel) {}

  static async open(): Promise<Hub> {
    return new Hub(await newReadModel());
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
  async replayedTo(position: number): Promise<Hub> {
    const other = await Hub.open();
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

const emailOf = (person: number) => `p${person}@mail.example`;
const personId = (person: number, tenant = 'acme'): Uuid => ids.identity(tenant, 'email', emailOf(person));
const profileId = (number: number): Uuid => ids.identity('acme', 'profile', `crm:${number}`);
const conversationId = (number: number): Uuid => `c0000000-0000-8000-8000-00000000000${number}`;
const interactionId = (number: number): Uuid => ids.interaction('acme', 'email', 'care', `m${number}`);

interface Said {
  anchor: number;
  others: readonly number[];
  verified: boolean;
  name?: string;
  minute: number;
  conversation: number;
  channel: string;
  direction: 'inbound' | 'outbound';
  kind: 'message' | 'call';
}

type Step = { ms: number } & (
  | { type: 'contact'; said: Said; elsewhere: boolean }
  | { type: 'correct'; which: number; said: Said }
  | { type: 'write'; note: boolean; conversation: number; due?: number }
  | { type: 'end'; which: number; kept: boolean; reason?: string }
  | {
      type: 'profile';
      number: number;
      people: readonly number[];
      name?: string;
      minute?: number;
      consents?: Record<string, boolean>;
    }
  | { type: 'consent'; who: number; purpose: string; channel?: string; granted: boolean; lastsMs?: number }
  | { type: 'preference'; who: number; purpose?: string; channel: string; withdrawn: boolean; lastsMs?: number }
  | { type: 'link'; event: (typeof LINK_EVENTS)[number]; a: number; b: number; agent: boolean }
  | { type: 'divide'; who: number; days: readonly number[] }
);

const LINK_EVENTS = ['IdentitiesLinked', 'LinkProposed', 'LinkConfirmed', 'LinkRejected', 'LinkRetracted'] as const;

const carried = (people: Iterable<number>, tenant: string, verified: boolean): CarriedIdentity[] =>
  [...new Set(people)].map((person) => ({
    identity: personId(person, tenant),
    type: 'email',
    value: emailOf(person),
    ...(verified && { verified: true as const }),
  }));

/** A hub that lived through these steps; those that mean nothing where they stand are left out. */
const hubOf = async (steps: readonly Step[]): Promise<Hub> => {
  const hub = await Hub.open();
  const contacts: { id: Uuid; tenant: string; revision: number }[] = [];
  const seen: Uuid[] = [];
  const commitments: { id: Uuid; place: object }[] = [];
  let written = 0;
  const see = (identities: Iterable<Uuid>) => seen.push(...[...identities].filter((id) => !seen.includes(id)));
  const contentOf = (said: Said, tenant: string, revision: number, n: number): InteractionContent =>
    interactionContent({
      externalId: `m${n}`,
      revision,
      conversation: conversationId(said.conversation),
      anchor: personId(said.anchor, tenant),
      identities: carried([said.anchor, ...said.others], tenant, said.verified),
      channel: said.channel,
      direction: said.direction,
      kind: said.kind,
      occurredAt: toInstant(BEGIN_MS + said.minute * 60_000),
      receivedAt: toInstant(BEGIN_MS + 3_600_000),
      subject: `contact ${n}, revision ${revision}`,
      text: `text ${n} of revision ${revision}`,
      name: said.name,
      digest: `d${n}-${revision}`,
    });
  for (const step of steps) {
    hub.clock.advance(step.ms);
    switch (step.type) {
      case 'contact': {
        const tenant = step.elsewhere ? 'other' : 'acme';
        const id = interactionId(contacts.length);
        const content = contentOf(step.said, tenant, 1, contacts.length);
        await hub.put(streamId('interaction', id), 'InteractionRecorded', tenant, content);
        contacts.push({ id, tenant, revision: 1 });
        if (!step.elsewhere) see(content.identities.map(({ identity }) => identity));
        break;
      }
      case 'correct': {
        const contact = contacts[step.which % Math.max(1, contacts.length)];
        if (!contact) break;
        const content = contentOf(step.said, contact.tenant, ++contact.revision, contacts.indexOf(contact));
        await hub.put(streamId('interaction', contact.id), 'InteractionCorrected', contact.tenant, content);
        if (contact.tenant === 'acme') see(content.identities.map(({ identity }) => identity));
        break;
      }
      case 'profile': {
        const identities = carried(step.people, 'acme', false);
        await hub.put(streamId('identity', profileId(step.number)), 'ProfileImported', 'acme', {
          profile: profileId(step.number),
          source: 'crm',
          externalId: `${step.number}`,
          identities,
          ...(step.name && { name: step.name }),
          ...(step.minute !== undefined && { createdAt: toInstant(BEGIN_MS + step.minute * 60_000) }),
          ...(step.consents && { consents: step.consents }),
          attributes: { at: hub.clock.nowMs() },
          digest: `d${hub.clock.nowMs()}`,
        });
        see([profileId(step.number), ...identities.map(({ identity }) => identity)]);
        break;
      }
      case 'write': {
        // Only where somebody of the tenant has been in touch.
        const place = await hub.conversations.find('acme', conversationId(step.conversation));
        if (!place) break;
        const kind = step.note ? 'note' : 'commitment';
        const id = ids.written(kind, 'acme', conversationId(step.conversation), 'kim', `${++written}`);
        const said = {
          [kind]: id,
          conversation: conversationId(step.conversation),
          ...place,
          by: { agent: 'kim' },
          at: toInstant(hub.clock.nowMs()),
        };
        await hub.put(streamId(kind, id), step.note ? 'NoteAdded' : 'CommitmentMade', 'acme', {
          ...said,
          text: `written ${written}`,
          ...(!step.note && step.due !== undefined && { dueAt: toInstant(BEGIN_MS + step.due * 60_000) }),
        });
        if (!step.note) commitments.push({ id, place: said });
        break;
      }
      case 'end': {
        const [made] = commitments.splice(step.which % Math.max(1, commitments.length), 1);
        if (!made) break;
        const data = { ...made.place, ...(step.reason && { reason: step.reason }) };
        const type = step.kept ? 'CommitmentKept' : 'CommitmentWithdrawn';
        await hub.put(streamId('commitment', made.id), type, 'acme', data);
        break;
      }
      case 'consent':
      case 'preference': {
        const identity = seen[step.who % Math.max(1, seen.length)];
        if (identity === undefined) break;
        const { type, ms: _, who: __, lastsMs, ...statement } = step;
        const nowMs = hub.clock.nowMs();
        await hub.put(
          streamId('consent', identity),
          type === 'consent' ? 'ConsentRecorded' : 'PreferenceStated',
          'acme',
          {
            identity,
            ...statement,
            evidence: 'said so',
            ...(lastsMs !== undefined && { until: toInstant(nowMs + lastsMs) }),
            statedAt: toInstant(nowMs),
            by: 'kim',
          },
        );
        break;
      }
      case 'divide': {
        const identity = personId(step.who);
        if (!seen.includes(identity)) break;
        const former = step.days
          .toSorted((one, other) => one - other)
          .map((day, n) => ({
            identity: ids.formerEra(identity, n),
            until: toInstant(BEGIN_MS + day * 86_400_000).slice(0, 10),
          }));
        const data = { identity, former, rule: 'rules-1' };
        await hub.put(streamId('eras', identity), 'IdentityErasDecided', 'acme', data);
        see(former.map((era) => era.identity));
        break;
      }
      case 'link': {
        const [a, b] = [seen[step.a % Math.max(1, seen.length)], seen[step.b % Math.max(1, seen.length)]];
        if (a === undefined || b === undefined || a === b) break;
        const link = ids.link('acme', ...([a, b].toSorted() as [Uuid, Uuid]));
        const begins = step.event === 'IdentitiesLinked' || step.event === 'LinkProposed';
        const stream = streamId('link', link);
        if (!begins && (await hub.store.read(stream)).length === 0) break;
        await hub.put(stream, step.event, 'acme', {
          link,
          ...(begins && { a, b, evidence: 'same-interaction', confidence: 0.9 }),
          ...(step.agent ? { by: { agent: 'kim' } } : { rule: 'rules-1' }),
          ...(step.event === 'LinkRetracted' && { reason: 'wrong' }),
        });
      }
    }
  }
  return hub.fold();
};

const person = fc.nat(PEOPLE - 1);
const said: fc.Arbitrary<Said> = fc.record(
  {
    anchor: person,
    others: fc.array(person, { maxLength: 2 }),
    verified: fc.boolean(),
    name: fc.constantFrom('Ana', 'Bo'),
    minute: fc.nat(12).map((n) => n * 700),
    conversation: fc.nat(CONVERSATIONS - 1),
    channel: fc.constantFrom('email', 'phone'),
    direction: fc.constantFrom('inbound', 'outbound'),
    kind: fc.constantFrom('message', 'call'),
  },
  { requiredKeys: ['anchor', 'others', 'verified', 'minute', 'conversation', 'channel', 'direction', 'kind'] },
);
const ms = fc.integer({ min: -20, max: 100 });
/** How long a statement holds: some are over within the steps that follow. */
const lastsMs = fc.integer({ min: 1, max: 400 });
const contactStep = fc.record({ ms, type: fc.constant('contact'), said, elsewhere: fc.nat(9).map((n) => n === 0) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: contactStep },
  { weight: 2, arbitrary: fc.record({ ms, type: fc.constant('correct'), which: fc.nat(), said }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ms,
      type: fc.constant('divide'),
      who: person,
      days: fc.uniqueArray(fc.nat(6), { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('profile'),
        number: fc.nat(1),
        people: fc.array(person, { maxLength: 2 }),
        name: fc.constantFrom('Ana Ruiz', 'Bo Li'),
        minute: fc.nat(12),
        consents: fc.constantFrom<Record<string, boolean>>({ marketing: true }, { marketing: false, surveys: true }),
      },
      { requiredKeys: ['ms', 'type', 'number', 'people'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('write'),
        note: fc.boolean(),
        conversation: fc.nat(CONVERSATIONS - 1),
        due: fc.nat(12),
      },
      { requiredKeys: ['ms', 'type', 'note', 'conversation'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('consent'),
        who: fc.nat(8),
        purpose: fc.constantFrom('marketing', 'surveys'),
        channel: fc.constantFrom('email', 'sms'),
        granted: fc.boolean(),
        lastsMs,
      },
      { requiredKeys: ['ms', 'type', 'who', 'purpose', 'granted'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      { ms, type: fc.constant('end'), which: fc.nat(), kept: fc.boolean(), reason: fc.constant('done') },
      { requiredKeys: ['ms', 'type', 'which', 'kept'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ms,
        type: fc.constant('preference'),
        who: fc.nat(8),
        purpose: fc.constant('orders'),
        channel: fc.constantFrom('email', 'chat'),
        withdrawn: fc.boolean(),
        lastsMs,
      },
      { requiredKeys: ['ms', 'type', 'who', 'channel', 'withdrawn'] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ms,
      type: fc.constant('link'),
      event: fc.constantFrom('IdentitiesLinked', ...LINK_EVENTS),
      a: fc.nat(8),
      b: fc.nat(8),
      agent: fc.boolean(),
    }),
  },
);

interface Filter {
  channels?: string[];
  kinds?: string[];
  directions?: string[];
  from?: number;
  to?: number;
}

const minuteMs = fc.nat(12).map((minute) => BEGIN_MS + minute * 60_000);
const filter: fc.Arbitrary<Filter> = fc.record(
  {
    channels: fc.constantFrom(['email'], ['phone', 'email'], ['fax']),
    kinds: fc.constantFrom(['call'], ['call', 'message'], ['note', 'commitment']),
    directions: fc.constantFrom(['inbound']),
    from: minuteMs,
    to: minuteMs,
  },
  { requiredKeys: [] },
);

type Page<Item> = { items: Item[]; next?: string; previous?: string };

/** All entries by following `next` to the oldest, and those met on the way back by `previous`. */
const walk = async <Item>(bounds: PageBounds, read: (bounds: PageBounds) => Promise<Page<Item>>) => {
  let page = await read(bounds);
  const first = page;
  const older = [...page.items];
  while (page.next) older.push(...(page = await read({ ...bounds, before: page.next })).items);
  const newer = [...page.items];
  while (page.previous) newer.unshift(...(page = await read({ ...bounds, after: page.previous })).items);
  return { first: first.items, older, newer };
};

/** An answer without the position it stands for, or the code of a refusal. */
const answerOf = async (asked: Promise<object>): Promise<object | string> => {
  try {
    const { asOfPosition: _, ...answer } = (await asked) as { asOfPosition?: number };
    return answer;
  } catch (error) {
    const code = codeOf(error);
    if (!code?.endsWith('.NOT_FOUND')) throw error;
    return code;
  }
};

/** Everything a hub answers, as of a past or now. */
const everything = async (hub: Hub, question: Filter & { limit: number; body: boolean }, asOf?: AsOf) => {
  const tenant = 'acme';
  const bounds = { limit: question.limit, ...(asOf && { asOf }) };
  const people = Array.from({ length: PEOPLE }, (_, n) => personId(n));
  const answers: Record<string, unknown> = {};
  for (const [n, id] of [...people, profileId(0), profileId(1), personId(0, 'other')].entries()) {
    answers[`customer ${n}`] = await answerOf(hub.customer.execute(new GetCustomerQuery(tenant, id, asOf)));
    answers[`timeline ${n}`] = await answerOf(
      walk(bounds, (at) =>
        hub.timeline.execute(new GetTimelineQuery({ tenant, customer: id, ...question, ...bounds, ...at })),
      ),
    );
  }
  for (const [n, id] of [...people, profileId(0), personId(0, 'other')].entries()) {
    const read = (at: PageBounds) =>
      hub.identities.execute(new GetCustomerIdentitiesQuery({ tenant, customer: id, ...bounds, ...at }));
    const links = async (at: PageBounds): Promise<Page<LinkDto>> => {
      const { links: items, next, previous } = await read(at);
      return { items, ...(next && { next }), ...(previous && { previous }) };
    };
    answers[`identities ${n}`] = await answerOf(read(bounds).then(({ identities }) => ({ identities })));
    answers[`links ${n}`] = await answerOf(walk(bounds, links));
  }
  for (let n = 0; n < PEOPLE; n++)
    answers[`found ${n}`] = await answerOf(
      hub.find.execute(new FindCustomersQuery(tenant, `email:${emailOf(n)}`, asOf)),
    );
  for (let n = 0; n < CONVERSATIONS; n++) {
    const read = (at: PageBounds) =>
      hub.conversation.execute(
        new GetConversationQuery({ tenant, id: conversationId(n), body: question.body, ...bounds, ...at }),
      );
    answers[`conversation ${n}`] = await answerOf(walk(bounds, read));
    answers[`taking part ${n}`] = await answerOf(read(bounds).then(({ customers }) => ({ customers })));
  }
  for (let n = 0; n < 8; n++)
    answers[`contact ${n}`] = await answerOf(
      hub.interaction.execute(new GetInteractionQuery(tenant, interactionId(n), asOf)),
    );
  return answers;
};

const rules = (): void => {
  it('is what replaying the log up to there gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 2 }),
        filter,
        fc.record({ limit: fc.integer({ min: 1, max: 4 }), body: fc.boolean() }),
        async (steps, percents, filtered, how) => {
          const hub = await hubOf(steps);
          const head = await hub.store.head();
          for (const percent of [...percents, 100]) {
            const position = Math.round((percent * head) / 100);
            const asOf = await hub.asOf.shown('acme', { asOfPosition: `${position}` });
            const replayed = await hub.replayedTo(position);
            const question = { ...filtered, ...how };
            expect(await everything(hub, question, asOf)).toEqual(await everything(replayed, question));

            const keys = (await replayed.readModel.db.selectFrom('identity').select('key').execute()).map((i) => i.key);
            const links = await hub.readModel.snapshot((db) => new Past(db, position).links(keys));
            const { db } = replayed.readModel;
            const rows = await db.selectFrom('link').selectAll().orderBy('key').execute();
            expect(links.map(({ id, ...link }) => ({ ...link, id: uuidOfBytes(id) }))).toEqual(
              rows.map(({ tenant: _, id, ...link }) => ({ ...link, id: uuidOfBytes(id) })),
            );
            await replayed.close();
          }
          await hub.close();
        },
      ),
      { numRuns },
    );
  }, 300_000);
};
