import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { streamId, type EventStore, type Position, type StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { IdFactory, codeOf, type CustomerIdentifier, type Uuid } from '#libs/kernel';
import { ContentReader } from '../intake/content.js';
import { appendedElsewhere } from './appended-elsewhere.js';
import { IdentityResolver } from './identity-resolver.js';
import { openResolver } from './open-resolver.js';

const ids = new IdFactory(Buffer.from('a pepper for tests'));
const reader = new ContentReader(ids, { countryOf: () => undefined });
const folder = mkdtempSync(join(tmpdir(), 'identity-standby-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const nothingErased = { has: () => false };
let files = 0;

const PEOPLE: readonly CustomerIdentifier[] = [
  ...[1, 2, 3, 4].map((n) => ({ type: 'email', value: `person${n}@x.example` })),
  ...[0, 1, 2].map((n) => ({ type: 'phone', value: `+1212555010${n}` })),
  ...[1, 2].map((n) => ({ type: 'account', value: `A-${n}`, verified: true as const })),
];

/** One program with a resolver and a file of its own. */
class Program {
  leads = false;
  private readonly resolver: IdentityResolver;

  constructor(private readonly store: MemoryEventStore) {
    const elsewhere = appendedElsewhere((stream) => store.read(stream), nothingErased);
    const append: EventStore['append'] = (...given) => (this.leads ? store.append(...given) : elsewhere(...given));
    this.resolver = IdentityResolver.open({ file: join(folder, `${++files}.db`), ids, append });
  }

  /** Follows the log at most so far; a standby stays where something is not decided yet. */
  async follow(through: Position, batchSize: number): Promise<void> {
    const after = await this.resolver.checkpoint();
    for await (const events of this.store.readAll({ after, through, batchSize })) {
      try {
        await this.resolver.apply(events);
      } catch (error) {
        if (this.leads || codeOf(error) !== 'RESOLVER.AHEAD') throw error;
        return;
      }
    }
  }

  async followAll(): Promise<void> {
    for (let head = await this.store.head(); (await this.resolver.checkpoint()) < head; head = await this.store.head())
      await this.follow(head, 7);
  }

  close(): Promise<void> {
    return this.resolver.close();
  }
}

class World {
  readonly store = new MemoryEventStore();
  private contacts = 0;

  async contact(sees: readonly CustomerIdentifier[]): Promise<void> {
    const content = reader.interaction({
      tenant: 'acme', channel: 'chat', account: 'shop', externalId: `m${++this.contacts}`, kind: 'message', direction: 'inbound',
      occurredAt: '2025-01-06T10:00:00.000Z', receivedAt: '2025-01-06T10:00:01.000Z', customer: { identifiers: [...sees] },
    }); // prettier-ignore
    const id = ids.interaction('acme', 'chat', 'shop', content.externalId);
    await this.put(streamId('interaction', id), 'InteractionRecorded', content);
  }

  /** An agent links two people, whatever the rules say. */
  async link(one: CustomerIdentifier, other: CustomerIdentifier): Promise<void> {
    const [a, b] = [one, other].map(({ type, value }) => ids.identity('acme', type, value)).toSorted() as [Uuid, Uuid];
    const link = ids.link('acme', a, b);
    const data = { link, a, b, evidence: 'agent', confidence: 1, by: { agent: 'kim' } };
    await this.put(streamId('link', link), 'IdentitiesLinked', data);
  }

  async linkEvents(): Promise<string[]> {
    const all: StoredEvent[] = [];
    for await (const events of this.store.readAll({ after: 0 })) all.push(...events);
    return all.filter(({ stream }) => stream.startsWith('link-')).map(({ stream, revision, type }) => `${stream} ${revision} ${type}`); // prettier-ignore
  }

  private async put(stream: StoredEvent['stream'], type: string, data: object): Promise<void> {
    const past = await this.store.read(stream);
    const id = ids.event(stream, past.length, `${type} of a person`);
    await this.store.append(stream, [{ id, type, schema: 1, tenant: 'acme', data }], past.length === 0 ? 'no_stream' : past.length - 1); // prettier-ignore
  }
}

const person = fc.integer({ min: 0, max: PEOPLE.length - 1 }).map((n) => PEOPLE[n]!);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ sees: fc.uniqueArray(person, { minLength: 1, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ link: fc.uniqueArray(person, { minLength: 2, maxLength: 2 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ follow: fc.integer({ min: 0, max: 2 }), batch: fc.integer({ min: 1, max: 9 }) }),
  },
  // Somebody takes over; the one before goes on for a while, if it was taken for dead only.
  { weight: 1, arbitrary: fc.record({ lead: fc.integer({ min: 0, max: 2 }), zombie: fc.boolean() }) },
);

describe('a resolver that stands by', () => {
  it('takes over with a file of any age, beside one that was taken for dead, and decides what one alone would', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = new World();
        const programs = [0, 1, 2].map(() => new Program(world.store));
        programs[0]!.leads = true;
        let byStandbys = 0;
        for (const one of steps) {
          if ('sees' in one) await world.contact(one.sees);
          else if ('link' in one) await world.link(one.link[0]!, one.link[1]!);
          else if ('follow' in one) {
            const before = await world.store.head();
            const program = programs[one.follow]!;
            await program.follow(before, one.batch);
            const appended = (await world.store.head()) - before;
            if (!program.leads) byStandbys += appended;
          } else {
            for (const program of programs) if (!one.zombie) program.leads = false;
            programs[one.lead]!.leads = true;
          }
        }
        expect(byStandbys).toBe(0);
        const last = programs.find(({ leads }) => leads)!;
        await last.followAll();
        const decided = await world.linkEvents();
        // Whoever reads the whole log anew finds every decision made, and makes no other.
        const anew = new Program(world.store);
        anew.leads = true;
        await anew.followAll();
        expect(await world.linkEvents()).toEqual(decided);
        for (const program of [...programs, anew]) await program.close();
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('keeps up with the active one and appends nothing', async () => {
    const world = new World();
    const [active, standby] = [new Program(world.store), new Program(world.store)];
    active.leads = true;
    for (let n = 0; n < 20; n++) await world.contact([PEOPLE[n % 4]!, PEOPLE[4 + (n % 3)]!]);
    await standby.follow(await world.store.head(), 5);
    expect(await world.linkEvents()).toEqual([]);
    await active.followAll();
    const head = await world.store.head();
    await standby.followAll();
    expect(await world.store.head()).toBe(head);
    await active.close();
    // From here on it appends; all it would is there.
    standby.leads = true;
    await standby.followAll();
    expect(await world.store.head()).toBe(head);
    await standby.close();
  });
});

describe('openResolver', () => {
  it('fills a file from the log again that knows more than the log', async () => {
    const world = new World();
    const file = join(folder, `${++files}.db`);
    const append: EventStore['append'] = (...given) => world.store.append(...given);
    for (const _ of [1, 2, 3]) await world.contact(PEOPLE.slice(0, 1));
    const before = await openResolver({ file, ids, append }, 3);
    for await (const events of world.store.readAll({ after: 0 })) await before.apply(events);
    await before.close();
    const same = await openResolver({ file, ids, append }, 3);
    expect(await same.checkpoint()).toBe(3);
    await same.close();
    const restored = await openResolver({ file, ids, append }, 2);
    expect(await restored.checkpoint()).toBe(0);
    await restored.close();
  });
});

describe('appendedElsewhere', () => {
  const stream = streamId(
    'link',
    ids.link('acme', ids.identity('acme', 'email', 'a'), ids.identity('acme', 'email', 'b')),
  );
  const event = (n: number) => ({ id: ids.event(stream, n, 'x'), type: 'X', schema: 1, tenant: 'acme', data: {} });

  it('answers as an append would that finds its events there, and fails where it would store', async () => {
    const store = new MemoryEventStore();
    const append = appendedElsewhere((one) => store.read(one), nothingErased);
    await expect(append(stream, [event(0)], 'no_stream')).rejects.toMatchObject({
      code: 'RESOLVER.AHEAD',
      retryable: true,
    });
    const receipt = await store.append(stream, [event(0)], 'no_stream');
    expect(await append(stream, [event(0)], 'no_stream')).toEqual(receipt);
    await expect(append(stream, [event(1)], 'no_stream')).rejects.toMatchObject({
      code: 'EVENT_STORE.REVISION_CONFLICT',
    });
    const gone = appendedElsewhere((one) => store.read(one), { has: () => true });
    await expect(gone(stream, [event(1)], 0)).rejects.toMatchObject({ code: 'PRIVACY.IDENTITY_ERASED' });
    expect(await store.head()).toBe(receipt.position);
  });
});
