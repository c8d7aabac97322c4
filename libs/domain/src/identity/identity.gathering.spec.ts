import fc from 'fast-check';
import {
  World,
  customersOf,
  followed,
  imported,
  keyOf,
  pairs,
  resolved,
  see,
  tight,
  typeOf,
  type Step,
} from './evidence-world.contract.js';
import type { EvidenceKind, EvidenceReader, LinkedPair } from './identity.evidence.js';
import { gather } from './identity.gathering.js';
import type { ResolvedProposal } from './identity.resolution.js';
import { areDifferentPeople } from './person-name.js';

describe('gathering', () => {
  it('stops at a landline that is known to be shared', () => {
    const world = followed([
      ...imported('profile1', 'Ana Paz', 'phone1', 'email1'),
      ...imported('profile2', 'Leo Paz', 'phone1', 'email2'),
      see('email1', 'cookie1'),
    ]);
    expect(world.gathered.at(-1)?.toSorted()).toEqual(['cookie1', 'email1', 'phone1', 'profile1']);
  });

  it('reaches what a new hub held together', () => {
    const steps: Step[] = [
      see('account1', 'phone1'),
      see('email1', 'phone1'),
      see('email2', 'phone1'),
      { does: 'observe', id: 'account1', name: 'Ana Paz', verified: true },
      see('account2', 'cookie1'),
      see('cookie1', 'email1'),
      { does: 'observe', id: 'account2', name: 'Leo Paz', verified: true },
    ];
    const world = followed(steps, tight);
    expect(world.proposals.size).toBe(1);
    world.follow(see('email3', 'phone1'));
    expect(pairs(world.links.values())).toEqual(['account2 cookie1', 'cookie1 email1']);
    expect(world.proposals.size).toBe(0);
  });

  it('reaches the neighbours of a hub that has learned a name', () => {
    const steps: Step[] = ['phone1', 'phone2', 'email1', 'email2', 'email3'].map((other) => see('account2', other));
    const world = followed([...steps, see('account1', 'phone1', 'Ana Paz')], tight);
    expect(pairs(world.links.values())).toEqual(['account1 phone1']);
    world.follow({ does: 'observe', id: 'account2', name: 'Leo Mora' });
    expect(world.links.size).toBe(0);
  });

  it('does not read the evidence of a hub', () => {
    const world = followed(Array.from({ length: 30 }, (_, index) => see('cookie1', `email${index}`)));
    const read: string[] = [];
    const watched: EvidenceReader = {
      facts: world.facts,
      neighbourCount: world.neighbourCount,
      rulingsOf: world.rulingsOf,
      bearersOf: world.bearersOf,
      bearerCount: world.bearerCount,
      settledWith: world.settledWith,
      wholeOf: world.wholeOf,
      formersOf: world.formersOf,
      formerOf: world.formerOf,
      evidenceOf: (id) => {
        read.push(id);
        return world.evidenceOf(id);
      },
    };
    gather(['cookie1', 'email3'], watched);
    expect(new Set(read)).toEqual(new Set(['email3']));
  });
});

describe('any history', () => {
  const id = fc
    .tuple(fc.constantFrom('account', 'profile', 'phone', 'email', 'cookie', 'handle'), fc.integer({ min: 1, max: 3 }))
    .map(([type, number]) => `${type}${number}`);
  const twoIds = fc.tuple(id, id).filter(([a, b]) => a !== b);
  const kind = fc.constantFrom<EvidenceKind>('same-interaction', 'identify', 'profile-import', 'same-mailbox');
  const name = fc.constantFrom('Ana Paz', 'A. Paz', 'Leo Paz', 'Mora, Eva', 'Ana Mora');
  const aDay = fc.constantFrom(0, 5, 60, 65, 120, 500);
  const seeing = fc
    .tuple(twoIds, kind, fc.option(name, { nil: undefined, freq: 2 }), fc.option(aDay, { nil: undefined }))
    .map(([[a, b], how, who, day]): Step => ({ ...see(a, b, who, how), ...(day !== undefined && { day }) }));
  const observing = fc.oneof(
    fc.tuple(id, name).map(([who, called]): Step => ({ does: 'observe', id: who, name: called })),
    id.map((who): Step => ({ does: 'observe', id: who, verified: true })),
    fc.tuple(id, aDay).map(([who, ownDay]): Step => ({ does: 'observe', id: who, ownDay })),
    fc
      .tuple(fc.constantFrom('profile1', 'profile2', 'profile3'), fc.constantFrom('1960-01-02', '1990-03-04'))
      .map(([who, birthDate]): Step => ({ does: 'observe', id: who, birthDate })),
  );
  const learning = fc.oneof({ weight: 3, arbitrary: seeing }, { weight: 2, arbitrary: observing });
  const unlearning = fc.oneof(
    fc.tuple(twoIds, kind).map(([[a, b], how]): Step => ({ does: 'forget', a, b, kind: how })),
    fc
      .tuple(twoIds, fc.constantFrom('together' as const, 'apart' as const, 'withdrawn' as const))
      .map(([[a, b], verdict]): Step => ({ does: 'rule', a, b, verdict })),
  );
  const history = fc.array(learning, { minLength: 5, maxLength: 40 });
  const eventful = fc.array(fc.oneof({ weight: 5, arbitrary: learning }, { weight: 2, arbitrary: unlearning }), {
    minLength: 5,
    maxLength: 50,
  });
  const runs = { numRuns: 500 };

  it('gives the same links in any order of arrival', () => {
    fc.assert(
      fc.property(
        history.chain((steps) => fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps, { minLength: steps.length }))),
        ([steps, shuffled]) => {
          expect(resolved(shuffled, tight)).toEqual(resolved(steps, tight));
        },
      ),
      runs,
    );
  });

  it('gives the same links followed event by event as resolved at once, with corrections and rulings in between', () => {
    fc.assert(
      fc.property(eventful, (steps) => {
        const world = followed(steps, tight);
        const atOnce = world.resolveAll();
        expect(pairs(world.links.values())).toEqual(pairs(atOnce.links));
        expect(pairs(world.proposals.values())).toEqual(pairs(atOnce.proposals));
      }),
      runs,
    );
  });

  it('does with a ruling what it says of its own pair, and nothing else but to answer who its namesakes are', () => {
    fc.assert(
      fc.property(eventful, (steps) => {
        const world = new World(tight);
        for (const step of steps) world.take(step);
        const ruled = world.resolveAll();
        const rulings = [...world.rulings.values()];
        world.rulings.clear();
        const free = world.resolveAll();
        const isRuled = ({ a, b }: LinkedPair) => rulings.some((ruling) => keyOf(ruling.a, ruling.b) === keyOf(a, b));
        const together = rulings.filter(({ verdict }) => verdict === 'together');
        expect(pairs(ruled.links)).toEqual(pairs([...free.links.filter((pair) => !isRuled(pair)), ...together]));
        const [asked, others] = [ruled, free].map(({ proposals }) => proposals.filter((pair) => !isRuled(pair)));
        const isEvident = ({ reason }: ResolvedProposal) => reason !== 'same-name';
        expect(asked!.filter(isEvident)).toEqual(others!.filter(isEvident));
      }),
      runs,
    );
  });

  it('never puts verified accounts of different or unrelated people into one customer by rule', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const world = new World(tight);
        for (const step of steps) world.take(step);
        for (const members of customersOf(world.resolveAll().links)) {
          const accounts = members
            .map(world.facts)
            .filter((facts) => facts !== undefined)
            .filter(({ type, verified }) => type === 'account' && verified);
          for (const one of accounts) {
            for (const other of accounts) {
              if (one === other) continue;
              const told = [one, other].every(({ names }) => names.length > 0 && names.length <= tight.maxNames);
              expect(told).toBe(true);
              expect(one.names.some((a) => other.names.some((b) => !areDifferentPeople(a, b)))).toBe(true);
            }
          }
        }
      }),
      runs,
    );
  });

  it('never lets a weak identity into a link or a proposal by rule', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { links, proposals } = resolved(steps, tight);
        expect([...links, ...proposals].flatMap(({ a, b }) => [typeOf(a), typeOf(b)])).not.toContain('handle');
      }),
      runs,
    );
  });
});
