import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { streamId, type StreamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { FixedClock, IdFactory, toInstant, type Uuid } from '#libs/kernel';
import { ProjectionProgress, type ReadModel } from '#libs/projections';
import { Projector } from '#libs/projections/projector/projector.js';
import { interactionContent } from '#libs/testing';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { CustomerReader } from '../customers/customer-reader.js';
import { Bodies } from '../interactions/bodies.js';
import { LinkReader } from '../links/link-reader.js';
import { Labels } from '../shared/labels.js';
import { Entries } from '../timeline/entries.js';
import { GetTimelineHandler, GetTimelineQuery } from '../timeline/get-timeline.handler.js';
import { CustomerData } from './customer-data.js';

const tenant = 'acme';
const BEGIN_MS = Date.UTC(2026, 0, 1);
const ids = new IdFactory(Buffer.from('a pepper for tests'));
const idOf = (name: string): Uuid => ids.identity(tenant, 'email', `${name}@mail.example`);
const carried = (name: string) => ({ identity: idOf(name), type: 'email', value: `${name}@mail.example` });
const interactionId = (n: number): Uuid => ids.interaction(tenant, 'email', 'care', `m${n}`);
const conversationId = (n: number): Uuid => ids.conversation(tenant, 'email', 'care', `t${n}`);

/** Counts the streams that are read. */
class CountingStore extends MemoryEventStore {
  reads = 0;
  override read(stream: StreamId) {
    this.reads += 1;
    return super.read(stream);
  }
}

interface Document {
  position: number;
  customer: { id: string; interactions: number; consents: object[] };
  identities: { value: string }[];
  links: { between: string[]; status: string; decisions: { decision: string; reason?: string; agent?: string }[] }[];
  profiles: { imports: { name: string; consents: object }[] }[];
  consents: { purpose: string; granted: boolean; position: number; evidence?: string; source: string }[];
  preferences: { channel?: string; withdrawn?: boolean }[];
  interactions: {
    id: string;
    conversation: string;
    receipt: { status: string; position: number };
    revisions: { position: number; text: string }[];
  }[];
  written: { id: string; kind: string; events: { type: string; text?: string }[] }[];
  accessLog: { by: string; position: number }[];
}

let newReadModel: () => Promise<ReadModel>;

/** What a document about a person holds, on every engine of the read model. */
export const customerDataContract = (name: string, open: () => Promise<ReadModel>): void => {
  newReadModel = open;
  describe(`everything about a person in ${name}`, rules);
};

class World {
  readonly clock = new FixedClock(BEGIN_MS);
  readonly store = new CountingStore(this.clock);
  private readonly projector = new Projector(this.readModel, this.store);
  private readonly progress = new ProjectionProgress();
  private readonly labels = new Labels(this.readModel);
  private readonly customers = new CustomerDirectory(this.readModel, this.labels);
  readonly data = new CustomerData(
    this.readModel,
    this.store,
    this.customers,
    new CustomerReader(this.readModel, this.labels, this.clock),
    new LinkReader(this.readModel, this.store),
    this.progress,
    this.clock,
  );
  readonly timeline = new GetTimelineHandler(
    this.readModel,
    this.customers,
    this.labels,
    new Entries(this.readModel, this.labels),
    new Bodies(this.store),
  );

  private constructor(readonly readModel: ReadModel) {}

  static async open(): Promise<World> {
    return new World(await newReadModel());
  }

  async put(stream: StreamId, type: string, data: object, of = tenant): Promise<void> {
    const { length } = await this.store.read(stream);
    const event = { id: ids.event(stream, length, type), type, schema: 1, tenant: of, data };
    await this.store.append(stream, [event], length === 0 ? 'no_stream' : length - 1);
  }

  contact(n: number, name: string, revision = 1): Promise<void> {
    const data = interactionContent({
      externalId: `m${n}`,
      revision,
      conversation: conversationId(n % 1700),
      anchor: idOf(name),
      identities: [carried(name)],
      occurredAt: toInstant(BEGIN_MS + (n % 1000) * 60_000),
      text: `text ${n} of revision ${revision}: "${'ñ'.repeat(400)}"`,
    });
    const type = revision === 1 ? 'InteractionRecorded' : 'InteractionCorrected';
    return this.put(streamId('interaction', interactionId(n)), type, data);
  }

  link(type: string, one: string, other: string): Promise<void> {
    const [a, b] = [idOf(one), idOf(other)].toSorted() as [Uuid, Uuid];
    const link = ids.link(tenant, a, b);
    const said = { link, by: { agent: 'kim' }, reason: 'said so' };
    const ends = type === 'IdentitiesLinked' ? { a, b, evidence: 'agent', confidence: 1 } : {};
    return this.put(streamId('link', link), type, { ...said, ...ends });
  }

  write(n: number, type: 'NoteAdded' | 'CommitmentMade' | 'CommitmentKept', text?: string): Promise<void> {
    const kind = type === 'NoteAdded' ? 'note' : 'commitment';
    const id = ids.written(kind, tenant, conversationId(n % 1700), 'kim', `${n}`);
    const place = { conversation: conversationId(n % 1700), anchor: idOf(nameOf(n)), channel: 'email', account: 'care' };
    const said = { by: { agent: 'kim' }, at: toInstant(BEGIN_MS + n * 60_000), ...(text !== undefined && { text }) };
    return this.put(streamId(kind, id), type, { [kind]: id, ...place, ...said });
  }

  consent(name: string, granted: boolean): Promise<void> {
    const said = { purpose: 'marketing', granted, evidence: `said ${granted}`, by: 'kim' };
    const data = { identity: idOf(name), statedAt: toInstant(this.clock.nowMs()), ...said };
    return this.put(streamId('consent', idOf(name)), 'ConsentRecorded', data);
  }

  async fold(): Promise<void> {
    await this.projector.catchUp();
    this.progress.advance({ position: await this.store.head(), corrected: [] });
  }

  async close(): Promise<void> {
    await this.readModel.close();
    await this.store.close();
  }
}

const CONTACTS = 6000;
const nameOf = (n: number) => ['ana', 'ann', 'other'][n % 3 === 0 ? n % 2 : n % 3]!;

const rules = (): void => {
  jest.setTimeout(120_000);
  let world: World;
  let own: number[];

  beforeAll(async () => {
    world = await World.open();
    for (let n = 0; n < CONTACTS; n++) await world.contact(n, nameOf(n));
    own = Array.from({ length: CONTACTS }, (_, n) => n).filter((n) => nameOf(n) !== 'other');
    for (const n of own.slice(0, 30)) await world.contact(n, nameOf(n), 2);
    for (const name of ['Ana M', 'Ana Mora']) {
      const data = { profile: idOf('crm'), source: 'crm', externalId: '1', identities: [carried('ana')], name, consents: { sms: true } }; // prettier-ignore
      await world.put(streamId('identity', idOf('crm')), 'ProfileImported', { ...data, digest: name });
    }
    await world.link('IdentitiesLinked', 'ana', 'ann');
    await world.link('IdentitiesLinked', 'ana', 'crm');
    await world.link('IdentitiesLinked', 'ann', 'other');
    await world.link('LinkRetracted', 'ann', 'other');
    for (const granted of [true, false]) await world.consent('ann', granted);
    for (const withdrawn of [false, true]) {
      const data = { identity: idOf('ana'), channel: 'sms', ...(withdrawn && { withdrawn }), statedAt: toInstant(BEGIN_MS), by: 'kim' }; // prettier-ignore
      await world.put(streamId('consent', idOf('ana')), 'PreferenceStated', data);
    }
    for (let n = 0; n < 250; n++) {
      const look = { by: `user:${n}`, customer: idOf(n % 2 ? 'ana' : 'other'), at: toInstant(BEGIN_MS), saw: ['header'], reads: 1 }; // prettier-ignore
      await world.put(streamId('access', ids.event('look', n, '')), 'TimelineViewed', look);
    }
    await world.write(own[7]!, 'NoteAdded', 'calls back on Monday');
    await world.write(own[8]!, 'CommitmentMade', 'a call on Monday');
    await world.write(own[8]!, 'CommitmentKept');
    await world.write(2, 'NoteAdded', 'about the other one');
    await world.fold();
  });
  afterAll(() => world.close());

  const read = async (id: Uuid): Promise<Document> => {
    let text = '';
    for await (const piece of (await world.data.of(tenant, id)).text) text += piece;
    return JSON.parse(text) as Document;
  };

  it('is one JSON document with every contact, revision, statement, decision and look', async () => {
    const document = await read(idOf('ann'));
    expect(document.position).toBe(await world.store.head());
    expect(document.customer).toMatchObject({ id: idOf('ana'), interactions: own.length });

    const recordedIds = new Set(own.map(interactionId));
    const pages: string[] = [];
    for (let before: string | undefined; ;) {
      const question = { tenant, customer: idOf('ana'), limit: 100, ...(before !== undefined && { before }) };
      const page = await world.timeline.execute(new GetTimelineQuery(question));
      pages.push(...page.items.map(({ id }) => id));
      if (page.next === undefined) break;
      before = page.next;
    }
    const shown = new Set([...document.interactions, ...document.written].map(({ id }) => id));
    expect(shown).toEqual(new Set(pages));
    expect(document.interactions.map(({ id }) => id)).toEqual(pages.filter((id) => recordedIds.has(id)));
    expect(document.interactions).toHaveLength(own.length);

    // What the log itself holds of these people, event by event.
    const recorded = new Map<string, object[]>();
    const looks: number[] = [];
    for await (const events of world.store.readAll({ after: 0 }))
      for (const { type, stream, position, data } of events) {
        const { anchor, text, customer } = data as { anchor?: Uuid; text: string; customer?: Uuid };
        if (type.startsWith('Interaction') && anchor !== idOf('other'))
          recorded.set(stream, [...(recorded.get(stream) ?? []), { position, text }]);
        if (type === 'TimelineViewed' && customer === idOf('ana')) looks.push(position);
      }
    const told = document.interactions.map(({ id, revisions }) => [
      `interaction-${id}`,
      revisions.map(({ position, text }) => ({ position, text })),
    ]);
    expect(new Map(told as [string, object[]][])).toEqual(recorded);
    expect(document.interactions.filter(({ receipt }) => receipt.status === 'corrected')).toHaveLength(30);
    expect(document.accessLog.map(({ position }) => position)).toEqual(looks.toReversed());

    expect(document.written).toMatchObject([
      { kind: 'commitment', events: [{ type: 'CommitmentMade', text: 'a call on Monday' }, { type: 'CommitmentKept' }] },
      { kind: 'note', events: [{ type: 'NoteAdded', text: 'calls back on Monday' }] },
    ]);
    expect(document.profiles).toMatchObject([{ imports: [{ name: 'Ana M' }, { name: 'Ana Mora', consents: { sms: true } }] }]); // prettier-ignore
    expect(document.consents.map(({ purpose, granted, evidence, source }) => [purpose, granted, evidence, source])).toEqual([
      ['sms', true, undefined, 'profile'], ['sms', true, undefined, 'profile'],
      ['marketing', true, 'said true', 'stated'], ['marketing', false, 'said false', 'stated'],
    ]); // prettier-ignore
    expect(document.preferences).toMatchObject([{ channel: 'sms' }, { withdrawn: true }]);
    expect(document.customer.consents).toMatchObject([{ purpose: 'marketing', granted: false }, { purpose: 'sms', granted: true }]); // prettier-ignore
  });

  it('says with whom a link was, and not who that is', async () => {
    const document = await read(idOf('ana'));
    expect(document.links.map(({ status, decisions }) => [status, decisions.map(({ decision }) => decision)])).toEqual([
      ['active', ['linked']],
      ['active', ['linked']],
      ['retracted', ['linked', 'retracted']],
    ]);
    expect(document.links[2]!.between).toContain(idOf('other'));
    expect(document.links[2]!.decisions[1]).toMatchObject({ agent: 'kim', reason: 'said so' });
    expect(JSON.stringify(document)).not.toContain('other@mail.example');
  });

  it('is read no faster than it is taken, and no further than somebody listens', async () => {
    const { text } = await world.data.of(tenant, idOf('ana'));
    const stream = Readable.from(text, { objectMode: false });
    world.store.reads = 0;
    for await (const chunk of stream) {
      expect((chunk as Buffer).length).toBeGreaterThan(0);
      if (world.store.reads > 5) break;
    }
    const taken = world.store.reads;
    for (let n = 0; n < 200; n++) await turn();
    expect(stream.destroyed).toBe(true);
    expect(world.store.reads - taken).toBeLessThan(5);

    const waiting = Readable.from((await world.data.of(tenant, idOf('ana'))).text, { objectMode: false });
    world.store.reads = 0;
    waiting.read(0);
    for (let n = 0; n < 500; n++) await turn();
    // A stream buffers 64 KiB at most.
    expect(world.store.reads).toBeLessThan(200);
    waiting.destroy();
  });

  it('stays as it was when it was asked for, whatever is linked and recorded meanwhile', async () => {
    const before = await read(idOf('ana'));
    const { text } = await world.data.of(tenant, idOf('ana'));
    let written = '';
    let pieces = 0;
    for await (const piece of text) {
      written += piece;
      pieces += 1;
      if (pieces !== 50) continue;
      await world.link('LinkRetracted', 'ana', 'ann');
      await world.contact(CONTACTS + 1, 'ana');
      await world.contact(own[40]!, 'ana', 2);
      await world.consent('ana', true);
      await world.fold();
    }
    const { generatedAt: _, ...document } = JSON.parse(written) as Document & { generatedAt: string };
    const { generatedAt: __, ...asked } = before as Document & { generatedAt: string };
    expect(document).toEqual(asked);
    expect((await read(idOf('ana'))).customer.interactions).toBeLessThan(own.length);
  });

  it('is nothing for who is not known, nor for another tenant', async () => {
    for (const [of, id] of [[tenant, idOf('nobody')], ['globex', idOf('ana')], [tenant, 'nonsense']] as const) // prettier-ignore
      await expect(world.data.of(of, id)).rejects.toMatchObject({ code: 'CUSTOMER.NOT_FOUND' });
  });
};
