import fc from 'fast-check';
import { SCHEMAS } from '#libs/domain';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { streamId, type StreamId } from '#libs/event-store';
import { type Uuid } from '#libs/kernel';
import { SealedEventStore } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { interactionContent } from '#libs/testing';
import { Projector } from '../projector/projector.js';
import type { ReadModelHome } from '../read-model/read-model-home.port.js';
import type { ReadModel } from '../read-model/read-model.port.js';
import { rebuild } from '../rebuild/rebuild.js';
import { tableDigests } from '../rebuild/table-digests.js';

const uuid = (letter: string, n: number): Uuid => `${letter}0000000-0000-8000-8000-${String(n).padStart(12, '0')}`;
const PEOPLE = 5;
const FIRST_MS = 1_690_000_000_000;
const DAY_MS = 86_400_000;

/** What may happen to a handful of identities. */
type Step =
  | { do: 'contact'; anchor: number; also: number }
  | { do: 'correct'; contact: number; anchor: number }
  | { do: 'profile'; of: number; also: number }
  | { do: 'link' | 'propose' | 'retract'; a: number; b: number }
  | { do: 'write' | 'promise' | 'allow'; identity: number }
  | { do: 'divide'; identity: number; days: number[] }
  | { do: 'erase'; identity: number };

const person = fc.nat(PEOPLE - 1);
/** Every identity may have been somebody else's at two times: those have the numbers behind the people's. */
const ERAS = 2;
const DAYS = 10;
const identity = fc.nat(PEOPLE - 1 + PEOPLE * ERAS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('contact' as const), anchor: person, also: person }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('correct' as const), contact: fc.nat(8), anchor: person }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('profile' as const), of: person, also: person }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('link' as const, 'propose' as const, 'retract' as const),
      a: identity,
      b: identity,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('write' as const, 'promise' as const, 'allow' as const),
      identity,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('divide' as const),
      identity: person,
      days: fc.uniqueArray(fc.nat(DAYS), { maxLength: ERAS }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), identity }) },
);

export interface ErasureContractOptions {
  /** A place of its own for a read model. */
  newHome: () => ReadModelHome;
  /** Which of these texts lie in the files of a home whose read model is closed. */
  inFiles: (home: ReadModelHome, texts: readonly string[]) => Promise<boolean[] | 'elsewhere'>;
  /** How many stories are told. */
  runs: number;
}

let options: ErasureContractOptions;

/** That a read model forgets, on every engine. */
export const erasureContract = (name: string, given: ErasureContractOptions): void => {
  options = given;
  describe(`an erased identity in ${name}`, rules);
};

/** A sealed log with its read model, to which things happen one after the other. */
class World {
  readonly vault = new MemoryKeyVault();
  readonly store = new SealedEventStore(new MemoryEventStore(), this.vault);
  private readonly projector = new Projector(this.readModel, this.store);
  private readonly revisions = new Map<StreamId, number>();
  private readonly contacts: number[] = [];
  private readonly erased = new Set<number>();
  private events = 0;

  private constructor(
    readonly home: ReadModelHome,
    readonly readModel: ReadModel,
    /** What names and texts begin with. */
    private readonly called: string,
  ) {}

  static async open(called = 'Vogel'): Promise<World> {
    const home = options.newHome();
    return new World(home, await home.open(), called);
  }

  async take(what: Step): Promise<void> {
    await this.append(what);
    await this.projector.catchUp();
  }

  digests = () => tableDigests(this.readModel);

  /** The same log folded anew, event by event and in bulk. */
  async anew() {
    const fresh = await options.newHome().open();
    await new Projector(fresh, this.store).catchUp(undefined, 7);
    const folded = await tableDigests(fresh);
    await fresh.close();
    const home = options.newHome();
    await rebuild({ home, log: this.store });
    const rebuilt = await home.open();
    const bulk = await tableDigests(rebuilt);
    await rebuilt.close();
    return { folded, bulk };
  }

  private async append(what: Step): Promise<void> {
    switch (what.do) {
      case 'contact': {
        const n = this.contacts.length;
        if (this.erased.has(what.anchor)) return; // nothing can be sealed for it any more
        this.contacts.push(n);
        return this.put(
          streamId('interaction', uuid('1', n)),
          'InteractionRecorded',
          this.content(n, what.anchor, what.also),
        );
      }
      case 'correct': {
        const n = this.contacts[what.contact % Math.max(this.contacts.length, 1)];
        if (n === undefined || this.erased.has(what.anchor)) return;
        const content = { ...this.content(n, what.anchor, what.anchor), revision: 2 };
        return this.put(streamId('interaction', uuid('1', n)), 'InteractionCorrected', content);
      }
      case 'profile':
        if (this.erased.has(what.of)) return;
        return this.put(streamId('identity', uuid('a', what.of)), 'ProfileImported', {
          profile: uuid('a', what.of),
          source: 'crm',
          externalId: `${this.called}${what.of}`,
          identities: [this.carried(what.also)],
          name: `${this.called} Name${what.of}`,
          digest: `${++this.events}`,
        });
      case 'link':
      case 'propose':
      case 'retract': {
        const [a, b] = [Math.min(what.a, what.b), Math.max(what.a, what.b)];
        if (a === b || this.erased.has(a) || this.erased.has(b)) return;
        if (!(await this.isKnown(a)) || !(await this.isKnown(b))) return;
        const link = uuid('b', a * 100 + b);
        const data = {
          link,
          a: uuid('a', a),
          b: uuid('a', b),
          evidence: 'agent',
          confidence: 1,
          reason: `${this.called} said so`,
        };
        if (what.do === 'retract' && !this.revisions.has(streamId('link', link))) return;
        const type = { link: 'IdentitiesLinked', propose: 'LinkProposed', retract: 'LinkRetracted' }[what.do];
        return this.put(
          streamId('link', link),
          type,
          what.do === 'retract' ? { link, reason: `${this.called} again` } : data,
        );
      }
      case 'write':
      case 'promise': {
        if (this.erased.has(what.identity) || !(await this.isKnown(what.identity))) return;
        const kind = what.do === 'write' ? 'note' : 'commitment';
        const id = uuid(what.do === 'write' ? '7' : '8', ++this.events);
        const place = {
          conversation: uuid('c', 0),
          anchor: uuid('a', what.identity),
          channel: 'email',
          account: 'care',
        };
        const said = {
          by: { agent: 'kim' },
          at: new Date(FIRST_MS + (this.events % DAYS) * DAY_MS).toISOString(),
          text: `${this.called}${what.identity} calls back`,
        };
        return this.put(streamId(kind, id), kind === 'note' ? 'NoteAdded' : 'CommitmentMade', {
          [kind]: id,
          ...place,
          ...said,
        });
      }
      case 'allow': {
        if (this.erased.has(what.identity) || !(await this.isKnown(what.identity))) return;
        const identity = uuid('a', what.identity);
        const said = {
          purpose: 'marketing',
          granted: true,
          evidence: `${this.called}${what.identity} said`,
          by: 'kim',
        };
        const data = { identity, ...said, statedAt: '2025-03-31T00:00:00.000Z' };
        return this.put(streamId('consent', identity), 'ConsentRecorded', data);
      }
      case 'divide': {
        const whole = uuid('a', what.identity);
        const former = what.days
          .toSorted((one, other) => one - other)
          .map((day, n) => ({
            identity: uuid('a', PEOPLE + what.identity * ERAS + n),
            until: new Date(FIRST_MS + day * DAY_MS).toISOString().slice(0, 10),
          }));
        return this.put(streamId('eras', whole), 'IdentityErasDecided', { identity: whole, former, rule: 'r' });
      }
      case 'erase': {
        if (this.erased.has(what.identity) || !(await this.isKnown(what.identity))) return;
        this.erased.add(what.identity);
        const links = Array.from({ length: PEOPLE * (1 + ERAS) }, (_, n) =>
          uuid('b', Math.min(n, what.identity) * 100 + Math.max(n, what.identity)),
        );
        const erasure = uuid('f', what.identity);
        await this.vault.beginErasure({ erasure, tenant: 'acme' });
        await this.vault.erase(erasure, [uuid('a', what.identity), ...links]);
        const identity = uuid('a', what.identity);
        const data = { identity, erasure, by: 'k', reason: 'r', at: '2025-04-01T00:00:00.000Z' };
        return this.put(streamId('identity', identity), 'IdentityErased', data);
      }
    }
  }

  private async isKnown(n: number): Promise<boolean> {
    return (await this.idsKnown()).has(uuid('a', n));
  }

  private async idsKnown(): Promise<Set<Uuid>> {
    const known = new Set<Uuid>();
    for await (const events of this.store.readAll({ after: 0 }))
      for (const { data } of events) {
        const said = data as { profile?: Uuid; identities?: { identity: Uuid }[]; former?: { identity: Uuid }[] };
        if (said.profile) known.add(said.profile);
        for (const { identity } of [...(said.identities ?? []), ...(said.former ?? [])]) known.add(identity);
      }
    return known;
  }

  private carried = (n: number) => ({ identity: uuid('a', n), type: 'email', value: `${this.called}${n}@x.example` });

  private content = (n: number, anchor: number, also: number) =>
    interactionContent({
      externalId: `m${n}`,
      conversation: uuid('c', n % 3),
      anchor: uuid('a', anchor),
      identities: [this.carried(anchor), ...(also === anchor ? [] : [this.carried(also)])],
      occurredAt: new Date(FIRST_MS + (n % DAYS) * DAY_MS).toISOString(),
      name: `${this.called} Name${anchor}`,
      subject: `of ${this.called}${anchor}`,
      text: `says ${this.called}${anchor}`,
      digest: `${++this.events}`,
    });

  private async put(stream: StreamId, type: string, data: object): Promise<void> {
    const revision = this.revisions.get(stream);
    const event = { id: uuid('e', ++this.events), type, schema: SCHEMAS[type]!, tenant: 'acme', data };
    await this.store.append(stream, [event], revision ?? 'no_stream');
    this.revisions.set(stream, (revision ?? -1) + 1);
  }
}

/** A contact that came in a former time of a number, and was somebody else's once it was corrected. */
const CORRECTED_AWAY: Step[] = [
  { do: 'divide', identity: 4, days: [1] },
  { do: 'correct', contact: 0, anchor: 0 },
  { do: 'erase', identity: 4 },
];

const rules = (): void => {
  it(
    'leaves the rows that the log gives when it is folded anew, whatever happened before and after',
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
          const world = await World.open();
          try {
            // Each is seen beside the next one first, and says itself who it is afterwards: whom nobody but the erased have
            // named is erased with them.
            for (let n = PEOPLE - 1; n >= 0; n--)
              await world.take({ do: 'contact', anchor: n, also: Math.max(0, n - 1) });
            for (const what of steps) await world.take(what);
            const shown = await world.digests();
            const { folded, bulk } = await world.anew();
            expect(folded).toEqual(shown);
            expect(bulk).toEqual(shown);
          } finally {
            await world.readModel.close();
          }
        }),
        { numRuns: options.runs, examples: [[CORRECTED_AWAY]] },
      ),
    120_000,
  );

  it('is in no row any more, nor in the file, nor is whom it was joined by', async () => {
    const world = await World.open('Amsel');
    await world.take({ do: 'contact', anchor: 0, also: 1 });
    await world.take({ do: 'contact', anchor: 2, also: 1 });
    await world.take({ do: 'profile', of: 3, also: 0 });
    for (const what of ['write', 'promise', 'allow'] as const) await world.take({ do: what, identity: 0 });
    for (const b of [1, 2, 3]) await world.take({ do: 'link', a: 0, b });
    const customers = async () =>
      (await world.readModel.db.selectFrom('identity').select(['customer', 'value', 'erased']).orderBy('key').execute())
        .map(({ customer, value, erased }) => [customer, value, erased !== null]); // prettier-ignore
    expect(new Set((await customers()).map(([customer]) => customer)).size).toBe(1);
    for (const identity of [0, 3]) await world.take({ do: 'erase', identity });
    expect(await customers()).toEqual([
      [1, '', true],
      [2, 'Amsel1@x.example', false],
      [3, 'Amsel2@x.example', false],
      [4, '', true],
    ]);
    const { db } = world.readModel;
    expect(await db.selectFrom('timeline').selectAll().execute()).toHaveLength(1);
    expect(await db.selectFrom('erased_contact').selectAll().execute()).toHaveLength(1);
    for (const table of ['profile', 'identity_past', 'entry', 'commitment', 'consent'] as const)
      expect(await db.selectFrom(table).selectAll().where('identity', 'in', [1, 4]).execute()).toEqual([]);
    expect((await db.selectFrom('link').select(['status', 'reason']).execute()).map((link) => link)).toEqual(
      Array.from({ length: 3 }, () => ({ status: 'erased', reason: null })),
    );
    await world.readModel.close();
    if (world.home.deletedRows) expect(await world.home.deletedRows.scrub()).toBe(true);
    const texts = ['Amsel0', 'Amsel Name0', 'Amsel3', 'Amsel Name3', 'Amsel said so', 'Amsel2'];
    const found = await options.inFiles(world.home, texts);
    expect([texts.map((text) => text === 'Amsel2'), 'elsewhere']).toContainEqual(found);
  });
};
