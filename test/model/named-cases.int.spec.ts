import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect, type KyselyPlugin, type SqliteDatabase } from 'kysely';
import { DEFAULT_RULES } from '#libs/domain';
import type { CustomerIdentifier } from '#libs/kernel';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { Projector } from '#libs/projections/projector/projector.js';
import type { ReadModelSchema } from '#libs/projections/read-model/read-model.schema.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import type { ReadModel } from '#libs/projections';
import { CustomerDirectory } from '#libs/queries/customers/customer-directory.js';
import { Bodies } from '#libs/queries/interactions/bodies.js';
import { Labels } from '#libs/queries/shared/labels.js';
import { Entries } from '#libs/queries/timeline/entries.js';
import { GetTimelineHandler, GetTimelineQuery } from '#libs/queries/timeline/get-timeline.handler.js';
import { DAY, Story, account, email, phone } from './story.js';
import { TENANT, World, identityOf } from './world.js';

const cookie: CustomerIdentifier = { type: 'cookie', value: 'browser' };

jest.setTimeout(120_000);

let story: Story;
let world: World;
beforeEach(() => {
  world = new World(DEFAULT_RULES);
  story = new Story(world);
});
afterEach(() => world.close());

const contact: Story['contact'] = (...said) => story.contact(...said);
const tell: Story['tell'] = (...said) => story.tell(...said);
const customersOf: Story['customersOf'] = (...of) => story.customersOf(...of);
const timelineOf: Story['timelineOf'] = (of) => story.timelineOf(of);
const handlerOver = (readModel: ReadModel): GetTimelineHandler => {
  const labels = new Labels(readModel);
  return new GetTimelineHandler(
    readModel,
    new CustomerDirectory(readModel, labels),
    labels,
    new Entries(readModel, labels),
    new Bodies(world.store),
  );
};

it('case 1: the same provider message twice in one second by two workers gives one event', async () => {
  const message = contact([email('ana')]);
  const taken = await Promise.all([world.deliver(message), world.deliver(message)]);
  expect(taken.toSorted()).toEqual([false, true]);
  expect((await world.log()).map(({ type }) => type)).toEqual(['InteractionRecorded']);
});

it('case 2: the same message id under two sender ids gives one event and two linked identities', async () => {
  const senders: CustomerIdentifier[] = [
    { type: 'social', value: 'messenger:page-scoped-1' },
    { type: 'social', value: 'messenger:app-scoped-9' },
  ];
  const [page, app] = senders.map((sender) => contact([sender], { externalId: 'm1', minute: 1 }));
  await tell(page!, app!, app!, page!);
  expect((await world.log()).map(({ type }) => type)).toEqual([
    'InteractionRecorded',
    'SenderAliasSeen',
    'IdentitiesLinked',
  ]);
  const [one, other] = await customersOf(identityOf(senders[0]!), identityOf(senders[1]!));
  expect(one).toBe(other);
  expect(await timelineOf(identityOf(senders[0]!))).toEqual(['m1']);
});

it('case 3: a reply written while the inbound message waits in the queue sorts behind it', async () => {
  const inbound = contact([email('ana')], { minute: 3 });
  const reply = contact([email('ana')], { minute: 5, direction: 'outbound' });
  await tell(reply);
  await tell(inbound);
  expect(await timelineOf(identityOf(email('ana')))).toEqual(['m1', 'm2']);
});

it('case 4: imports of 21 May, 17 May and 20 May come in the order of their dates, and pages neither skip nor repeat', async () => {
  const of = (day: number) => [0, 1].map((minute) => contact([email('ana')], { minute: day * DAY + minute }));
  const [may21, may17, may20] = [of(21), of(17), of(20)];
  const handler = handlerOver(world.readModel);
  const page = (before?: string) =>
    handler.execute(
      new GetTimelineQuery({
        tenant: TENANT,
        customer: identityOf(email('ana')),
        limit: 1,
        ...(before === undefined ? {} : { before }),
      }),
    );
  const seen: string[] = [];
  await tell(...may21);
  let answer = await page();
  for (const late of [may17, may20, []]) {
    seen.push(...answer.items.map(({ occurredAt }) => occurredAt));
    await tell(...late);
    answer = await page(answer.next);
  }
  for (; ; answer = await page(answer.next)) {
    seen.push(...answer.items.map(({ occurredAt }) => occurredAt));
    if (answer.next === undefined) break;
  }
  expect(seen).toEqual(seen.toSorted().toReversed());
  expect(new Set(seen).size).toBe(6);
  expect(await timelineOf(identityOf(email('ana')))).toEqual(['m3', 'm4', 'm5', 'm6', 'm1', 'm2']);
});

it('case 5: one browser, two logged-in users and one mail address typed in a form fuse nobody without proof', async () => {
  await tell(
    contact([account('A1'), cookie], { identify: true }),
    contact([account('B2'), cookie], { identify: true }),
    contact([email('typed'), cookie]),
  );
  const found = await customersOf(identityOf(account('A1')), identityOf(account('B2')), identityOf(email('typed')));
  expect(new Set(found).size).toBe(3);
  expect((await world.shown()).proposals.length).toBeGreaterThan(0);
});

it('case 8: two rules that fire in one flow both apply', async () => {
  await tell(contact([email('ana')]), contact([email('ana+shop'), phone(101)]));
  const made = (await world.log()).filter(({ type }) => type === 'IdentitiesLinked');
  expect(made.map(({ data }) => (data as { evidence: string }).evidence).toSorted()).toEqual([
    'same-interaction',
    'same-mailbox',
  ]);
  expect(await timelineOf(identityOf(email('ana')))).toEqual(['m1', 'm2']);
});

it('case 10: equal addresses in two tenants are never one customer', async () => {
  await tell(contact([email('ana'), phone(101)], { name: 'Ana Diaz' }));
  await tell(contact([email('ana'), phone(101)], { name: 'Ana Diaz', tenant: 'globex' }));
  const [ours, theirs] = [identityOf(email('ana')), identityOf(email('ana'), 'globex')];
  const found = await customersOf(ours, identityOf(phone(101)), theirs, identityOf(phone(101), 'globex'));
  expect(found[0]).toBe(found[1]);
  expect(found[2]).toBe(found[3]);
  expect(found[0]).not.toBe(found[2]);
  await expect(
    handlerOver(world.readModel).execute(new GetTimelineQuery({ tenant: 'globex', customer: ours, limit: 5 })),
  ).rejects.toMatchObject({ code: expect.stringMatching(/NOT_FOUND/) as unknown });
});

it('case 11: a customer of 7,000 messages opens like any other: as many rows are read, by the key of the timeline', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hilo-named-'));
  const file = join(folder, 'read-model.db');
  const writer = SqliteReadModel.open({ file });
  for (let n = 0; n < 7000; n++) await world.deliver(contact([email('many')], { minute: n }));
  for (let n = 0; n < 60; n++) await world.deliver(contact([email('few')], { minute: n }));
  await new Projector(writer, world.store).catchUp();
  await writer.close();

  const sqlite = openSqlite(file, { readonly: true });
  let rows = 0;
  const plans: string[] = [];
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      rows += result.rows.length;
      return result;
    },
  };
  const db = new Kysely<ReadModelSchema>({
    dialect: new SqliteDialect({ database: sqlite.driver as unknown as SqliteDatabase }),
    plugins: [counting],
    log: ({ query }) => {
      const steps = sqlite
        .prepare(`EXPLAIN QUERY PLAN ${query.sql}`)
        .all<{ detail: string }>(query.parameters as (string | number | null)[]);
      if (query.sql.includes('"timeline"')) plans.push(...steps.map(({ detail }) => detail));
    },
  });
  const open = async (who: string): Promise<number> => {
    rows = 0;
    const handler = handlerOver({ db } as ReadModel);
    const question = { tenant: TENANT, customer: identityOf(email(who)), limit: 50 };
    expect((await handler.execute(new GetTimelineQuery(question))).items).toHaveLength(50);
    return rows;
  };
  expect(await open('many')).toBe(await open('few'));
  expect(plans.length).toBeGreaterThan(0);
  for (const step of plans) expect(step).toMatch(/^SEARCH /); // no scan, and no sorting in a temporary table
  sqlite.close();
  rmSync(folder, { recursive: true, force: true });
});

it('case 14: a household behind one landline is two customers', async () => {
  await tell(
    contact([account('A1'), phone(101)], { name: 'Ana Diaz' }),
    contact([account('B2'), phone(101)], { name: 'Leo Diaz' }),
    contact([account('A1'), phone(101)], { name: 'Ana Diaz' }),
  );
  expect(new Set(await customersOf(identityOf(account('A1')), identityOf(account('B2')))).size).toBe(2);
  expect(await timelineOf(identityOf(account('A1')))).toEqual(['m1', 'm3']);
  expect(await timelineOf(identityOf(account('B2')))).toEqual(['m2']);
});
