import fc from 'fast-check';
import type { CustomerIdentifier, Uuid } from '#libs/kernel';
import { Model } from './model.js';
import { World, identityOf, ids, type AgentAct, type Delivery, type Shown } from './world.js';

/** Runs of the first property; of the second, which lives twice, a tenth. `HILO_MODEL_RUNS`, default 2000. */
const RUNS = Number(process.env.HILO_MODEL_RUNS ?? 2000);
/** The same seed gives the same runs. `HILO_MODEL_SEED`, default another one each time. */
const SEED = Number(process.env.HILO_MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`model test: ${RUNS} runs, HILO_MODEL_SEED=${SEED}\n`);

jest.setTimeout(15 * 60_000);

const identifiers: CustomerIdentifier[] = [
  { type: 'account', value: 'A1', verified: true },
  { type: 'account', value: 'B2', verified: true },
  { type: 'email', value: 'ana@x.example' },
  { type: 'email', value: 'ana+x@x.example' },
  { type: 'email', value: 'bo@x.example' },
  { type: 'phone', value: '+12125550101' },
  { type: 'phone', value: '+12125550102' },
  { type: 'cookie', value: 'k1' },
  { type: 'handle', value: 'ana' },
];
const carried = identifiers.map((one) => identityOf(one));
/** And the first time of each that may change hands. */
const passing = identifiers.filter(({ type }) => type === 'phone' || type === 'cookie');
const eras = passing.map((one) => ids.formerEra(identityOf(one), 0));
const all: Uuid[] = [...carried, ...eras];

const delivery = fc.record<Delivery>(
  {
    externalId: fc.integer({ min: 1, max: 8 }).map((n) => `m${n}`),
    revision: fc.integer({ min: 1, max: 3 }),
    sees: fc.uniqueArray(fc.constantFrom(...identifiers), { maxLength: 3 }),
    name: fc.constantFrom('Ana Diaz', 'Diaz, Ana', 'A. Diaz', 'Bo Lee', 'Bo Diaz'),
    identify: fc.constant(true),
    minute: fc
      .tuple(fc.constantFrom(0, 3, 60, 120, 520), fc.integer({ min: 0, max: 2 }))
      .map(([day, minute]) => day * 1440 + minute),
  },
  { requiredKeys: ['externalId', 'revision', 'sees', 'minute'] },
);
const pair = fc
  .tuple(fc.constantFrom(...all), fc.constantFrom(...all))
  .filter(([one, other]) => one !== other)
  .map(([one, other]) => (one < other ? ([one, other] as const) : ([other, one] as const)));
const act = fc.constantFrom<AgentAct>('link', 'retract', 'confirm', 'reject');

/** What both sides go through. */
class History {
  readonly world = new World();
  readonly model = new Model();
}
type Step = fc.AsyncCommand<History, History>;

class Deliver implements Step {
  constructor(private readonly delivery: Delivery) {}
  check = () => true;
  run = async ({ model, world }: History): Promise<void> => {
    const taken = await world.deliver(this.delivery);
    if (taken !== model.deliver(this.delivery))
      throw new Error(`the hub ${taken ? 'took' : 'did not take'} what the model says otherwise of`);
  };
  toString = () => `deliver ${JSON.stringify(this.delivery)}`;
}

/** An agent acts on what the log says now, whatever resolver and projector have read of it. */
class Act implements Step {
  constructor(
    private readonly does: AgentAct,
    private readonly pair: readonly [Uuid, Uuid],
  ) {}
  check = ({ model }: Readonly<History>) => this.pair.every((id) => model.seen.includes(id) || eras.includes(id));
  run = async ({ model, world }: History): Promise<void> => {
    const needed = { link: ['none', 'proposed'], retract: ['linked'], confirm: ['proposed'], reject: ['proposed'] };
    const known = await world.carried();
    if (!this.pair.every((id) => known.has(id))) return;
    if (!needed[this.does].includes(await world.statusOf(...this.pair))) return;
    await world.agent(this.does, ...this.pair);
    model.rule(this.does, ...this.pair);
  };
  toString = () =>
    `agent: ${this.does} ${this.pair.map((id) => [...identifiers, ...passing][all.indexOf(id)]!.value).join(' and ')}`;
}

class Follow implements Step {
  constructor(private readonly atMost: number) {}
  check = () => true;
  run = ({ world }: History): Promise<void> => world.follow(this.atMost);
  toString = () => `follow ${this.atMost}`;
}

const delivering = delivery.map((one) => new Deliver(one));
const acting = fc.tuple(act, pair).map(([does, two]) => new Act(does, two));
const following = fc.integer({ min: 1, max: 9 }).map((atMost) => new Follow(atMost));
const steps = fc.commands([delivering, acting, following, delivering], { maxCommands: 24, size: 'max' });

/** Public ids that the ids of identities answer with. */
const answersIn = ({ customers }: Shown): Record<Uuid, Uuid> =>
  Object.fromEntries(
    Object.entries(customers).flatMap(([customer, { identities }]) => identities.map((id) => [id, customer])),
  );

it('any interleaving of traffic, duplicates, corrections, agents and rules gives the customers and timelines of a model worked out from scratch', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (commands) => {
      const history = new History();
      try {
        await fc.asyncModelRun(() => ({ model: history, real: history }), commands);
        const { world, model } = history;
        await world.settle();
        const expected = model.shown();
        expect(await world.shown()).toEqual(expected);
        // Every id that ever stood for a customer still does.
        const answers = answersIn(expected);
        expect(await world.answers(Object.keys(answers), model.seen)).toEqual(answers);
      } finally {
        await history.world.close();
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

it('merge, traffic and unmerge give the history without the merge', async () => {
  const traffic = fc.array(delivery, { minLength: 2, maxLength: 8 });
  const picks = fc.tuple(fc.nat(), fc.nat());
  const told = async (deliveries: readonly Delivery[], world: World): Promise<void> => {
    for (const one of deliveries) await world.deliver(one);
  };
  await fc.assert(
    fc.asyncProperty(traffic, traffic, picks, fc.boolean(), async (before, during, [first, second], racing) => {
      const [merged, calm] = [new World(), new World()];
      try {
        await told(before, merged);
        const carried = [...(await merged.carried())].toSorted();
        const [one, other] = [carried[first % carried.length]!, carried[second % carried.length]!];
        fc.pre(one !== other);
        if (!racing) await merged.settle();
        fc.pre((await merged.statusOf(one, other)) === 'none');
        await told([...before, ...during], calm);
        await calm.settle();
        // What the rules themselves say of the pair would be parted too.
        fc.pre((await calm.statusOf(one, other)) === 'none');
        await merged.agent('link', one, other);
        if (!racing) await merged.settle();
        await told(during, merged);
        if (!racing) await merged.settle();
        await merged.agent('retract', one, other);
        await merged.settle();
        expect((await merged.shown()).customers).toEqual((await calm.shown()).customers);
      } finally {
        await Promise.all([merged.close(), calm.close()]);
      }
    }),
    { numRuns: Math.ceil(RUNS / 10), seed: SEED },
  );
});
