import fc from 'fast-check';
import { CommandRunner } from '#libs/commands';
import { RecordStatementCommand, RecordStatementHandler } from '#libs/commands/consents/record-statement.handler.js';
import { RuleOnLinkCommand, RuleOnLinkHandler } from '#libs/commands/links/rule-on-link.handler.js';
import { streamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { FixedClock, IdFactory, codeOf, type Uuid } from '#libs/kernel';
import { ProjectionProgress, type ReadModel } from '#libs/projections';
import { Projector } from '#libs/projections/projector/projector.js';
import { interactionContent } from '#libs/testing';
import { CustomerReader } from '../customers/customer-reader.js';
import type { CustomerDto } from '../customers/customer.dto.js';
import { IdentityFinder } from '../customers/identity-finder.js';
import { Labels } from '../shared/labels.js';
import { GetCustomerIdentitiesHandler, GetCustomerIdentitiesQuery } from './get-customer-identities.handler.js';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { LinkReader } from './link-reader.js';
import { PreviewLinkHandler, PreviewLinkQuery, type PreviewQuestion } from './preview-link.handler.js';

const tenant = 'acme';
const by = { agent: 'kim' };
const reason = 'because';
const ids = new IdFactory(Buffer.from('a pepper for tests'));
const idOf = (n: number): Uuid => ids.identity(tenant, 'email', `p${n}@x.example`);

let newReadModel: () => Promise<ReadModel>;
let numRuns: number;

/** That a preview shows what then happens, on every engine of the read model. */
export const previewLinkContract = (name: string, open: () => Promise<ReadModel>, runs: number): void => {
  newReadModel = open;
  numRuns = runs;
  describe(`a preview in ${name}`, rules);
};

/** A log of contacts and rulings without any rule, the read model over it, and what people ask of it. */
class World {
  private readonly clock = new FixedClock(1_700_000_000_000);
  private readonly store = new MemoryEventStore(this.clock);
  private readonly projector = new Projector(this.readModel, this.store);
  private readonly labels = new Labels(this.readModel);
  private readonly reader = new CustomerReader(this.readModel, this.labels, this.clock);
  private readonly finder = new IdentityFinder(this.readModel, this.labels, ids, { countryOf: () => undefined });
  private readonly handler = new RuleOnLinkHandler(new CommandRunner(this.store));
  private readonly statements = new RecordStatementHandler(new CommandRunner(this.store));
  private readonly previews = new PreviewLinkHandler(
    this.readModel,
    this.labels,
    ids,
    this.finder,
    this.reader,
    new ProjectionProgress(),
  );
  private readonly identities = new GetCustomerIdentitiesHandler(
    this.readModel,
    new CustomerDirectory(this.readModel, this.labels),
    new LinkReader(this.readModel, this.store),
  );
  private contacts = 0;
  private commitments = 0;

  private constructor(readonly readModel: ReadModel) {}

  static async open(): Promise<World> {
    return new World(await newReadModel());
  }

  async contact(n: number): Promise<void> {
    const externalId = `m${++this.contacts}`;
    const stream = streamId('interaction', ids.interaction(tenant, 'email', 'care', externalId));
    const data = interactionContent({
      externalId,
      channel: n % 2 ? 'email' : 'chat',
      conversation: ids.conversation(tenant, 'email', 'care', externalId),
      anchor: idOf(n),
      identities: [{ identity: idOf(n), type: 'email', value: `p${n}@x.example` }],
      name: `Person ${n}`,
    });
    const event = { id: ids.event(stream, 0, 'test'), type: 'InteractionRecorded', schema: 1, tenant, data };
    await this.store.append(stream, [event], 'no_stream');
    await this.projector.catchUp();
  }

  /** An open promise to somebody, in a conversation of its own. */
  async commit(n: number): Promise<void> {
    const commitment = ids.written('commitment', tenant, idOf(n), 'kim', `${++this.commitments}`);
    const stream = streamId('commitment', commitment);
    const data = {
      commitment,
      conversation: ids.conversation(tenant, 'email', 'care', commitment),
      anchor: idOf(n),
      channel: 'email',
      account: 'care',
      by,
      at: '2026-03-02T09:15:00.000Z',
      text: `promised to ${n}`,
    };
    const event = { id: ids.event(stream, 0, 'test'), type: 'CommitmentMade', schema: 1, tenant, data };
    await this.store.append(stream, [event], 'no_stream');
    await this.projector.catchUp();
  }

  async rule(does: 'link' | 'retract', a: number, b: number): Promise<string | undefined> {
    const link = ids.link(tenant, idOf(a), idOf(b));
    const command =
      does === 'link'
        ? { type: 'LinkIdentities' as const, link, a: idOf(a), b: idOf(b), by, reason }
        : { type: 'RetractLink' as const, link, by, reason };
    return codeFrom(async () => {
      await this.handler.execute(new RuleOnLinkCommand(tenant, command));
      await this.projector.catchUp();
    });
  }

  async consent(n: number, granted: boolean, channel?: string): Promise<void> {
    const said = {
      purpose: 'marketing',
      granted,
      evidence: 'said so',
      statedAt: '2025-03-02T09:15:00.000Z',
      by: 'kim',
    };
    const statement = { identity: idOf(n), ...said, ...(channel !== undefined && { channel }) };
    await this.statements.execute(new RecordStatementCommand(tenant, { type: 'RecordConsent', statement }));
    await this.projector.catchUp();
  }

  preview(does: 'link' | 'retract', a: number, b: number) {
    const question: PreviewQuestion =
      does === 'link' ? { tenant, link: [idOf(a), idOf(b)] } : { tenant, retract: ids.link(tenant, idOf(a), idOf(b)) };
    return this.previews.execute(new PreviewLinkQuery(question));
  }

  async customers(...numbers: number[]): Promise<CustomerDto[]> {
    const found = await Promise.all(numbers.map((n) => this.finder.find(tenant, idOf(n))));
    return Promise.all([...new Set(found.map((one) => one!.customer))].map((key) => this.reader.read(key)));
  }

  /** Both sides of every active link as `identities` tells them. */
  async links(n: number, limit: number) {
    const links = [];
    for (let before: string | undefined; ;) {
      const page = await this.identities.execute(
        new GetCustomerIdentitiesQuery({ tenant, customer: idOf(n), limit, ...(before !== undefined && { before }) }),
      );
      links.push(...page.links);
      if (page.next === undefined) return links;
      before = page.next;
    }
  }
}

const codeFrom = async (work: () => Promise<unknown>): Promise<string | undefined> => {
  try {
    await work();
    return undefined;
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
};

const byId = (list: readonly CustomerDto[]) => list.toSorted((one, other) => (one.id < other.id ? -1 : 1));

const PEOPLE = 6;
const person = fc.integer({ min: 1, max: PEOPLE });
const pair = fc.tuple(person, person).filter(([a, b]) => a !== b);
const step = fc.oneof(
  fc.record({ does: fc.constant('contact' as const), n: person }),
  fc.record({ does: fc.constant('commit' as const), n: person }),
  fc.record({
    does: fc.constant('consent' as const),
    n: person,
    granted: fc.boolean(),
    channel: fc.constantFrom(undefined, 'email'),
  }),
  { weight: 3, arbitrary: fc.record({ does: fc.constant('link' as const), pair }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('retract' as const), pair }) },
);

const rules = (): void => {
  jest.setTimeout(120_000);

  it('shows what then happens, whatever happened before, and each customer once with every contact and promise once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const world = await World.open();
        const told = new Map<number, number>();
        const promised = new Map<number, number>();
        const tell = async (n: number) => {
          await world.contact(n);
          told.set(n, (told.get(n) ?? 0) + 1);
        };
        for (let n = 1; n <= PEOPLE; n++) await tell(n);
        for (const one of steps) {
          if (one.does === 'contact') {
            await tell(one.n);
            continue;
          }
          if (one.does === 'commit') {
            await world.commit(one.n);
            promised.set(one.n, (promised.get(one.n) ?? 0) + 1);
            continue;
          }
          if (one.does === 'consent') {
            await world.consent(one.n, one.granted, one.channel);
            continue;
          }
          const [a, b] = one.pair;
          const before = await world.customers(a, b);
          let seen: Awaited<ReturnType<World['preview']>> | undefined;
          const refusal = await codeFrom(async () => (seen = await world.preview(one.does, a, b)));
          expect(await world.rule(one.does, a, b)).toBe(refusal);
          const after = await world.customers(a, b);
          expect([undefined, 'LINK.NOT_FOUND']).toContain(refusal);
          // What was refused has changed nothing.
          const shown = seen ?? { before, after: before, changes: false, heldBy: [] };
          expect(byId(shown.before)).toEqual(byId(before));
          expect(byId(shown.after)).toEqual(byId(after));
          expect(shown.changes).toBe(before.length !== after.length);
          expect(shown.heldBy.length > 0).toBe(seen !== undefined && !seen.changes && before.length === 1);
        }
        const everybody = await world.customers(...Array.from({ length: PEOPLE }, (_, index) => index + 1));
        expect(everybody.flatMap(({ identities }) => identities)).toHaveLength(PEOPLE);
        expect(everybody.flatMap(({ names }) => names)).toHaveLength(PEOPLE);
        expect(everybody.reduce((sum, { interactions }) => sum + interactions, 0)).toBe(
          [...told.values()].reduce((sum, count) => sum + count, 0),
        );
        for (const { identities, interactions, openCommitments, commitments } of everybody) {
          const people = identities.map(({ value }) => Number(/\d+/.exec(value)![0]));
          expect(interactions).toBe(people.reduce((sum, n) => sum + told.get(n)!, 0));
          expect(openCommitments).toBe(people.reduce((sum, n) => sum + (promised.get(n) ?? 0), 0));
          expect(commitments).toHaveLength(Math.min(openCommitments, 20));
          for (const { text } of commitments) expect(people.map((n) => `promised to ${n}`)).toContain(text);
        }
        await world.readModel.close();
      }),
      { numRuns },
    );
  });

  it('says where the two have answered differently, and what the one customer would have said', async () => {
    const world = await World.open();
    for (let n = 1; n <= 2; n++) await world.contact(n);
    const conflicts = async () => (await world.preview('link', 1, 2)).conflicts;
    await world.consent(1, true);
    expect(await conflicts()).toEqual([]);
    await world.consent(2, false, 'sms');
    const onSms = { kind: 'consents', about: 'marketing', channel: 'sms', one: ['granted'], other: ['denied'] };
    expect(await conflicts()).toEqual([onSms]);
    await world.consent(2, false);
    const onAll = { kind: 'consents', about: 'marketing', one: ['granted'], other: ['denied'] };
    expect(await conflicts()).toEqual([onAll, onSms]);
    const seen = await world.preview('link', 1, 2);
    const answers = (of: CustomerDto) => of.consents.map(({ channel = 'all', granted }) => [channel, granted]);
    expect(seen.before.map(answers)).toEqual([[['all', true]], [['all', false], ['sms', false]]]); // prettier-ignore
    expect(seen.after.map(answers)).toEqual([[['all', false], ['sms', false]]]); // prettier-ignore
    await world.rule('link', 1, 2);
    const parted = await world.preview('retract', 1, 2);
    expect(parted.before).toEqual(seen.after);
    expect(parted.conflicts).toMatchObject([onAll, onSms].map(({ about, kind }) => ({ about, kind })));
    await world.readModel.close();
  });

  it('and the identities tell every decision about a link, page by page', async () => {
    const world = await World.open();
    for (let n = 1; n <= 4; n++) await world.contact(n);
    for (const other of [2, 3, 4]) await world.rule('link', 1, other);
    await world.rule('retract', 1, 3);
    await world.rule('link', 3, 1);
    await world.rule('retract', 1, 2);
    const whole = await world.links(1, 100);
    expect(whole.map(({ status, decisions }) => [status, decisions.map(({ decision }) => decision)])).toEqual([
      ['retracted', ['linked', 'retracted']],
      ['active', ['linked', 'retracted', 'linked']],
      ['active', ['linked']],
    ]);
    for (const { decisions } of whole)
      for (const decision of decisions)
        expect(decision).toMatchObject({ agent: 'kim', reason, at: expect.stringMatching(/Z$/) as unknown });
    expect(await world.links(1, 1)).toEqual(whole);
    // Who has been parted sees the link from the other side.
    expect(await world.links(2, 1)).toEqual([whole[0]]);
    await world.readModel.close();
  });
};
