import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContentReader } from '#libs/commands/intake/content.js';
import { DEFAULT_RULES, SCHEMAS, type InteractionContent } from '#libs/domain';
import { streamId, type EventStore } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { FixedClock, type Uuid } from '#libs/kernel';
import { SealedEventStore } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { ProjectionProgress } from '#libs/projections';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { rebuildReadModel } from '#libs/projections/rebuild/rebuild.js';
import { tableDigests } from '#libs/projections/rebuild/table-digests.js';
import { Moments } from '#libs/queries/as-of/moments.js';
import { CustomerDirectory } from '#libs/queries/customers/customer-directory.js';
import { CustomerReader } from '#libs/queries/customers/customer-reader.js';
import { FindCustomersHandler, FindCustomersQuery } from '#libs/queries/customers/find-customers.handler.js';
import { GetCustomerHandler, GetCustomerQuery } from '#libs/queries/customers/get-customer.handler.js';
import { IdentityFinder } from '#libs/queries/customers/identity-finder.js';
import { ErasureFindings } from '#libs/queries/erasure/erasure-findings.js';
import { Bodies } from '#libs/queries/interactions/bodies.js';
import { GetInteractionHandler, GetInteractionQuery } from '#libs/queries/interactions/get-interaction.handler.js';
import { Freshness } from '#libs/queries/shared/freshness.js';
import { Labels } from '#libs/queries/shared/labels.js';
import { Entries } from '#libs/queries/timeline/entries.js';
import { GetTimelineHandler, GetTimelineQuery } from '#libs/queries/timeline/get-timeline.handler.js';
import { DAY, Story, account, email, phone } from './story.js';
import { TENANT, World, identityOf, ids, type Delivery } from './world.js';

jest.setTimeout(120_000);

const [ana, bo, number] = [account('A1'), account('B2'), phone(101)];
const [old, next, theNumber] = [identityOf(ana), identityOf(bo), identityOf(number)];
const era = ids.formerEra(theNumber, 0);
/** The first day on which the new owner was seen with the number: the world begins on 6 January 2025. */
const HANDED_OVER = '2025-07-25T00:00:00.000Z';

const folder = mkdtempSync(join(tmpdir(), 'hilo-case-13-'));
let files = 0;
const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What agents may ask of it. */
class Told extends Story {
  private readonly labels = new Labels(this.world.readModel);
  private readonly directory = new CustomerDirectory(this.world.readModel, this.labels);
  private readonly clock = new FixedClock(Date.UTC(2026, 0, 1));
  private readonly reader = new CustomerReader(this.world.readModel, this.labels, this.clock);
  private readonly moments = new Moments(this.world.store, this.clock);
  private readonly bodies = new Bodies(this.world.store);

  constructor(store?: EventStore) {
    super(new World(DEFAULT_RULES, store));
    worlds.push(this.world);
  }

  /** Contacts of the old owner, of the new one, and of the number alone in either time. */
  both() {
    return [
      this.contact([ana, number], { name: 'Ana Diaz' }),
      this.contact([number]),
      this.contact([ana, number], { name: 'Ana Diaz' }),
      this.contact([bo, number], { name: 'Bo Lee', minute: 200 * DAY }),
      this.contact([bo, number], { name: 'Bo Lee', minute: 201 * DAY }),
      this.contact([number], { minute: 230 * DAY }),
    ] as const;
  }

  async timelines(): Promise<{ old: string[]; next: string[] }> {
    return { old: await this.timelineOf(old), next: await this.timelineOf(next) };
  }

  /** What was on the timeline when the log ended at a position, oldest first. */
  async timelineAsOf(position: number, customer: Uuid): Promise<string[]> {
    const { readModel } = this.world;
    const entries = new Entries(readModel, this.labels);
    const handler = new GetTimelineHandler(readModel, this.directory, this.labels, entries, this.bodies);
    const question = { tenant: TENANT, customer, limit: 50, asOf: { position } };
    const { items } = await handler.execute(new GetTimelineQuery(question));
    return items.map(({ id }) => this.nameOf(id)!).toReversed();
  }

  async customer(id: Uuid) {
    return new GetCustomerHandler(this.directory, this.reader, this.moments).execute(new GetCustomerQuery(TENANT, id));
  }

  /** Who an identifier stands for. */
  async found(identifier: string): Promise<Uuid[]> {
    const finder = new IdentityFinder(this.world.readModel, this.labels, ids, { countryOf: () => undefined });
    const handler = new FindCustomersHandler(this.world.readModel, this.labels, finder, this.reader, this.moments);
    return (await handler.execute(new FindCustomersQuery(TENANT, identifier))).items.map(({ id }) => id);
  }

  /** Whom a contact says it belongs to. */
  async holderOf(name: string): Promise<Uuid> {
    const id = ids.interaction(TENANT, 'chat', 'shop', name);
    const query = new GetInteractionQuery(TENANT, id);
    return (await new GetInteractionHandler(this.bodies, this.directory).execute(query)).customer;
  }

  /** Contacts by which the log knows a customer besides its identities. */
  async contactsInHistory(id: Uuid): Promise<string[]> {
    const known = (await this.directory.idsInHistory(TENANT, id))!;
    return known.map((one) => this.nameOf(one)).filter((name) => name !== undefined);
  }

  /** The rows as they are, and as the log gives them when it is folded anew in bulk. */
  async rows() {
    const file = join(folder, `${++files}.db`);
    await rebuildReadModel({ file, log: this.world.store });
    const rebuilt = SqliteReadModel.open({ file });
    const rows = { live: await tableDigests(this.world.readModel), bulk: await tableDigests(rebuilt) };
    await rebuilt.close();
    return rows;
  }

  /** What an erasure does, as far as log, keys and rows are concerned. */
  async erase(vault: MemoryKeyVault, customer: Uuid): Promise<void> {
    const { readModel, store } = this.world;
    const progress = new ProjectionProgress();
    progress.advance({ position: await store.head(), corrected: [] });
    const findings = new ErasureFindings(readModel, this.labels, store, new Freshness(progress), progress);
    const found = await findings.find(TENANT, customer);
    if ('erasure' in found) throw new Error('it is erased already');
    const erasure = '70000000-0000-8000-8000-000000000001';
    await vault.beginErasure({ erasure, tenant: TENANT });
    const identities = found.identities.map(({ identity }) => identity);
    await vault.erase(erasure, [...identities, ...found.links, ...found.conversations]);
    for (const identity of identities) {
      const stream = streamId('identity', identity);
      const [type, at] = ['IdentityErased', '2026-01-01T00:00:00.000Z'];
      const data = { identity, erasure, by: 'k', reason: 'r', at };
      const event = { id: ids.event(stream, 0, type), type, schema: SCHEMAS[type]!, tenant: TENANT, data };
      await store.append(stream, [event], 'no_stream');
    }
    await this.world.settle();
  }

  /** Whether the log still tells what was said in a contact. */
  async isReadable(name: string): Promise<boolean> {
    const [recorded] = await this.world.store.read(
      streamId('interaction', ids.interaction(TENANT, 'chat', 'shop', name)),
    );
    return (recorded!.data as InteractionContent).erased !== true;
  }
}

const WHOLE = { old: ['m1', 'm2', 'm3'], next: ['m4', 'm5', 'm6'] };

describe('case 13: a recycled phone number changes hands at a date, and the past of the old owner stays with the old owner', () => {
  it('whatever the order in which the contacts come, and after each of them', async () => {
    const orders = [
      [0, 1, 2, 3, 4, 5],
      [5, 4, 3, 2, 1, 0],
      [5, 1, 3, 0, 4, 2],
      [3, 5, 0, 1, 2, 4],
      [1, 5, 0, 3, 2, 4],
    ];
    for (const order of orders) {
      for (const atOnce of [true, false]) {
        const told = new Told();
        const contacts = told.both();
        const deliveries = order.map((n): Delivery => contacts[n]!);
        if (atOnce) await told.tell(...deliveries);
        else for (const one of deliveries) await told.tell(one);
        expect(await told.timelines()).toEqual(WHOLE);
        expect(await told.timelineOf(theNumber)).toEqual(WHOLE.next);
      }
    }
  });

  it('also for every contact that comes later, of today or from an import', async () => {
    const told = new Told();
    await told.tell(...told.both());
    await told.tell(told.contact([number], { minute: 240 * DAY }));
    await told.tell(told.contact([number], { minute: 20 }));
    await told.tell(told.contact([bo, number], { minute: 241 * DAY }));
    expect(await told.timelines()).toEqual({ old: [...WHOLE.old, 'm8'], next: [...WHOLE.next, 'm7', 'm9'] });
    // A correction may say that it was at another time.
    await told.tell({ ...told.contact([number]), externalId: 'm8', revision: 2, minute: 250 * DAY });
    expect(await told.timelines()).toEqual({ old: WHOLE.old, next: [...WHOLE.next, 'm7', 'm9', 'm8'] });
  });

  it('and those who are told apart by the number alone stay together in their time', async () => {
    const told = new Told();
    await told.tell(told.contact([email('ana'), number], { name: 'Ana Diaz' }), ...told.both());
    expect(await told.timelineOf(old)).toEqual(['m1', 'm2', 'm3', 'm4']);
    expect((await told.customersOf(identityOf(email('ana')), old, era)).every((id, _n, [first]) => id === first)).toBe(
      true,
    );
  });

  it('the number finds its present holder, and each of the two shows when it was theirs', async () => {
    const told = new Told();
    await told.tell(...told.both());
    const [holder] = await told.found('phone:+1 212 555 0101');
    expect(holder).toBe((await told.customer(next)).id);
    expect((await told.customer(theNumber)).id).toBe(holder);
    const held = async (id: Uuid) => (await told.customer(id)).identities.find(({ type }) => type === 'phone')!;
    const shown = { type: 'phone', value: '+12125550101', verified: false };
    expect(await held(old)).toEqual({ id: era, ...shown, heldUntil: HANDED_OVER });
    expect(await held(next)).toEqual({ id: theNumber, ...shown, heldFrom: HANDED_OVER });
    expect([await told.holderOf('m2'), await told.holderOf('m6')]).toEqual([era, theNumber]);
    // The log says of m2 the number alone: an export of the old owner's history names it.
    expect(await told.contactsInHistory(old)).toEqual(['m2']);
  });

  it('as of a time before, what was believed then', async () => {
    const told = new Told();
    const [first, alone, third, ...ofNext] = told.both();
    await told.tell(first, alone, third);
    const before = await told.world.store.head();
    await told.tell(...ofNext);
    expect(await told.timelineAsOf(before, old)).toEqual(WHOLE.old);
    expect(await told.timelineAsOf(await told.world.store.head(), old)).toEqual(WHOLE.old);
    const together = await told.world.store.head();
    // Both used it at one time: nobody knows any more whose contacts these are.
    await told.tell(told.contact([ana, number], { name: 'Ana Diaz', minute: 220 * DAY }));
    expect(await told.timelineAsOf(together, old)).toEqual(WHOLE.old);
    expect(await told.timelineAsOf(together, next)).toEqual(WHOLE.next);
    expect(await told.timelineAsOf(await told.world.store.head(), theNumber)).toEqual(['m2', 'm6']);
  });

  describe('is undone', () => {
    it('where both used it at one time: then it is nobody’s', async () => {
      const told = new Told();
      await told.tell(...told.both());
      await told.tell(told.contact([ana, number], { name: 'Ana Diaz', minute: 220 * DAY }));
      expect(await told.timelines()).toEqual({ old: ['m1', 'm3', 'm7'], next: ['m4', 'm5'] });
      expect(await told.timelineOf(theNumber)).toEqual(['m2', 'm6']);
      const { live, bulk } = await told.rows();
      expect(bulk).toEqual(live);
    });

    it('where an imported record shows that both are one person', async () => {
      const told = new Told();
      await told.tell(
        told.contact([ana, email('ana')], { name: 'Ana Diaz' }),
        told.contact([bo, email('bo')], { name: 'Bo Lee' }),
        told.contact([ana, number]),
        told.contact([number]),
        told.contact([bo, number], { minute: 200 * DAY }),
        told.contact([number], { minute: 230 * DAY }),
      );
      expect(await told.timelines()).toEqual({ old: ['m1', 'm3', 'm4'], next: ['m2', 'm5', 'm6'] });
      const profile = new ContentReader(ids, { countryOf: () => undefined }).profile({
        tenant: TENANT,
        source: 'crm',
        externalId: '7',
        receivedAt: HANDED_OVER,
        name: 'Ana Diaz',
        identifiers: [ana, bo],
      });
      const stream = streamId('identity', profile.profile);
      const [type, id] = ['ProfileImported', ids.event(stream, 0, profile.digest)];
      const event = { id, type, schema: SCHEMAS[type]!, tenant: TENANT, data: profile };
      await told.world.store.append(stream, [event], 'no_stream');
      await told.world.settle();
      const all = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'];
      expect(await told.timelines()).toEqual({ old: all, next: all });
      expect(await told.timelineOf(theNumber)).toEqual(all);
      const { live, bulk } = await told.rows();
      expect(bulk).toEqual(live);
    });

    it('where an agent parts the number from its old owner, and comes back with the link', async () => {
      const told = new Told();
      await told.tell(...told.both());
      await told.world.agent('retract', old, era);
      await told.world.settle();
      expect(await told.timelines()).toEqual({ old: ['m1', 'm3'], next: WHOLE.next });
      expect(await told.timelineOf(era)).toEqual(['m2']);
      await told.world.agent('link', old, era);
      await told.world.settle();
      expect(await told.timelines()).toEqual(WHOLE);
    });
  });

  it('and a read model that is built anew says the same', async () => {
    const told = new Told();
    const [first, alone, third, fourth, ...rest] = told.both();
    for (const one of [alone, first, fourth, third, ...rest]) await told.tell(one);
    const { live, bulk } = await told.rows();
    expect(bulk).toEqual(live);
  });

  describe('erasing', () => {
    const sealed = () => {
      const vault = new MemoryKeyVault();
      return { vault, told: new Told(new SealedEventStore(new MemoryEventStore(), vault)) };
    };
    const readable = async (told: Told, names: string[]) => {
      const open: string[] = [];
      for (const name of names) if (await told.isReadable(name)) open.push(name);
      return open;
    };

    it.each([
      ['the old owner', old, next, ['m4', 'm5']],
      ['the new owner', next, old, ['m1', 'm3']],
    ])('%s destroys every key that sealed what was shown, the number’s too', async (_who, erased, other, left) => {
      const { vault, told } = sealed();
      await told.tell(...told.both());
      await told.erase(vault, erased);
      expect(await readable(told, ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'])).toEqual(left);
      expect(await told.timelineOf(other)).toEqual(left);
      expect(vault.erased.has(theNumber)).toBe(true);
      const values = await told.world.readModel.db.selectFrom('identity').select('value').execute();
      expect(values.map(({ value }) => value)).not.toContain('+12125550101');
      const { live, bulk } = await told.rows();
      expect(bulk).toEqual(live);
    });

    it('an owner of whom the number alone told nothing leaves it to the other', async () => {
      const { vault, told } = sealed();
      const [first, , third, ...ofNext] = told.both();
      await told.tell(first, third, ...ofNext);
      await told.erase(vault, old);
      expect(vault.erased.has(theNumber)).toBe(false);
      expect(await told.timelineOf(next)).toEqual(WHOLE.next);
      await told.tell(told.contact([bo, number], { minute: 240 * DAY }));
      expect(await told.timelineOf(next)).toEqual([...WHOLE.next, 'm7']);
      const [phoneNow] = (await told.customer(next)).identities.filter(({ type }) => type === 'phone');
      expect(phoneNow).not.toHaveProperty('heldFrom');
      const { live, bulk } = await told.rows();
      expect(bulk).toEqual(live);
    });
  });
});
