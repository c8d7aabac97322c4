import type { CustomerIdentifier, Uuid } from '#libs/kernel';
import { TENANT, identityOf, ids, type AgentAct, type Delivery, type Shown } from './world.js';

// The rules once more, the plain way: nothing here is code of the hub, and everything is worked out from the whole history.

/** Given name, or only its first letter, and family name of every name in the test. */
const NAMES: Readonly<Record<string, { given: string; family: string }>> = {
  'Ana Diaz': { given: 'ana', family: 'diaz' },
  'Diaz, Ana': { given: 'ana', family: 'diaz' },
  'A. Diaz': { given: 'a', family: 'diaz' },
  'Bo Lee': { given: 'bo', family: 'lee' },
  'Bo Diaz': { given: 'bo', family: 'diaz' },
};
const STRENGTH = ['account', 'email', 'phone', 'cookie', 'handle'];
const CONFIDENCE = { identify: 0.95, 'same-mailbox': 0.95, 'same-interaction': 0.9 };
const DISCOUNT: Readonly<Record<string, number>> = { phone: 0.97, cookie: 0.9 };
const LIMITS: Readonly<Record<string, readonly [neighbours: number, accounts: number]>> = {
  account: [100, 10],
  email: [4, 3],
  phone: [3, 3],
  cookie: [2, 2],
};
const MOST_NAMES = 2;
const MOST_NAMESAKES = 4;
const APART_DAYS: Readonly<Record<string, number>> = { phone: 45, cookie: 7 };
const STALE_DAYS: Readonly<Record<string, number>> = { cookie: 395 };

/** A name as it counts: those written alike are one. */
type Name = string;
type Pair = readonly [Uuid, Uuid];

interface Person {
  id: Uuid;
  type: string;
  /** None where there are too many to tell anything. */
  names: Name[];
  /** Days of contacts that are its own. */
  own: number[];
}

/** What two identities were seen together by, and when. */
interface Meeting {
  pair: Pair;
  confidence: number;
  days: number[];
}

/** What one delivery that counts has shown. */
interface Sighting {
  carried: CustomerIdentifier[];
  anchor: CustomerIdentifier | undefined;
  identify: boolean;
  name: Name | undefined;
  day: number;
}

interface Contact {
  interaction: Uuid;
  latest: Delivery;
  anchor: Uuid;
  /** Deliveries of this revision that said the same, each as a text, and the identities they carried. */
  said: string[];
  known: Uuid[];
  place: number;
}

const pairOf = (a: Uuid, b: Uuid): Pair => (a < b ? [a, b] : [b, a]);
const textOf = (a: Uuid, b: Uuid): string => pairOf(a, b).join(' ');
const nameOf = (written: string | undefined): Name | undefined =>
  written === undefined ? undefined : `${NAMES[written]!.given} ${NAMES[written]!.family}`;
const dayOf = (minute: number): number => Math.floor((Date.UTC(2025, 0, 6, 8) / 60_000 + minute) / 1440);
const pairsOf = <Item>(items: readonly Item[]): [Item, Item][] =>
  items.flatMap((one, index) => items.slice(index + 1).map((other): [Item, Item] => [one, other]));

const anchorOf = (sees: readonly CustomerIdentifier[]): CustomerIdentifier | undefined =>
  sees.toSorted((a, b) => STRENGTH.indexOf(a.type) - STRENGTH.indexOf(b.type) || (a.value < b.value ? -1 : 1))[0];

/** Given names have nothing in common, be they written out or not. */
const areTwoNames = (one: Name, other: Name): boolean => {
  const [a, b] = [one.split(' ')[0]!, other.split(' ')[0]!];
  return a.length === 1 || b.length === 1 ? a[0] !== b[0] : a !== b;
};
const areTwoPeople = (one: Person, other: Person): boolean =>
  one.names.length > 0 &&
  other.names.length > 0 &&
  one.names.every((name) => other.names.every((another) => areTwoNames(name, another)));
const areStrangers = (one: Person, other: Person): boolean =>
  one.type === 'account' && other.type === 'account' && (one.names.length === 0 || other.names.length === 0);

/** The history as a list, and everything that follows from it worked out from scratch whenever it is asked for. */
export class Model {
  private readonly contacts: Contact[] = [];
  private readonly sightings: Sighting[] = [];
  private readonly rulings = new Map<string, { pair: Pair; together: boolean }>();
  /** Everybody carried so far, the earliest first. */
  readonly seen: Uuid[] = [];

  /** What an exact recorder does with a delivery: true where it is news. */
  deliver(delivery: Delivery): boolean {
    const interaction = ids.interaction(TENANT, 'chat', 'shop', delivery.externalId);
    const contact = this.contacts.find((one) => one.interaction === interaction);
    const said = JSON.stringify(delivery);
    const carried = delivery.sees.map((one) => identityOf(one));
    if (!contact || delivery.revision > contact.latest.revision) {
      const anchor = anchorOf(delivery.sees);
      const thread = ids.conversation(TENANT, 'chat', 'shop', delivery.externalId);
      const anchorId = anchor ? identityOf(anchor) : ids.identity(TENANT, 'conversation', thread);
      const fresh = { latest: delivery, anchor: anchorId, said: [said], known: carried };
      if (contact) Object.assign(contact, fresh);
      else this.contacts.push({ interaction, place: this.contacts.length, ...fresh });
      this.see(delivery, delivery.sees, anchor);
      this.meet(anchor ? carried : [...carried, anchorId]);
      return true;
    }
    const { latest } = contact;
    if (delivery.revision < latest.revision || contact.said.includes(said)) return false;
    const { sees: _one, ...rest } = delivery;
    const { sees: _other, ...before } = latest;
    if (JSON.stringify(rest) !== JSON.stringify(before)) return false;
    const aliases = delivery.sees.filter((one) => !contact.known.includes(identityOf(one)));
    if (aliases.length === 0) return false;
    contact.said.push(said);
    contact.known.push(...carried);
    const anchor = latest.sees.find((one) => identityOf(one) === contact.anchor);
    this.see(latest, anchor ? [anchor, ...aliases] : aliases, anchor ?? anchorOf(aliases));
    this.meet(aliases.map((one) => identityOf(one)));
    return true;
  }

  rule(act: AgentAct, a: Uuid, b: Uuid): void {
    this.rulings.set(textOf(a, b), { pair: pairOf(a, b), together: act === 'link' || act === 'confirm' });
  }

  /** Which contacts are on whose timeline, and which pairs wait for an agent. */
  shown(): Shown {
    const { links, proposals, standings } = this.decided();
    // An era is nobody's first identity, and one that has ended is shown no more; an agent may have linked it all the same.
    const all = [...this.seen, ...erasOf(this.seen).toSorted()];
    const present = this.seen.flatMap((id) => [id, ...(standings.get(id)?.former ?? []).map((era) => era.id)]);
    const isSeen = ([a, b]: Pair): boolean => all.includes(a) && all.includes(b);
    const customers: Shown['customers'] = {};
    const customerOf = componentsOf(all, links.filter(isSeen));
    for (const [id, customer] of customerOf)
      if (present.includes(id)) (customers[customer] ??= { identities: [], timeline: [] }).identities.push(id);
    const holderOf = ({ anchor, latest }: Contact): Uuid =>
      standings.get(anchor)?.former?.find(({ until }) => dayOf(latest.minute) < until)?.id ?? anchor;
    const sorted = this.contacts.toSorted((x, y) => x.latest.minute - y.latest.minute || x.place - y.place);
    for (const contact of sorted)
      customers[customerOf.get(holderOf(contact))!]!.timeline.push(`${contact.interaction} ${contact.latest.revision}`);
    for (const customer of Object.values(customers)) customer.identities.sort();
    const open = proposals.filter(isSeen);
    return { customers, proposals: open.map(([a, b]) => textOf(a, b)).toSorted() };
  }

  private meet(identities: readonly Uuid[]): void {
    for (const id of identities) if (!this.seen.includes(id)) this.seen.push(id);
  }

  private see(
    { name, identify, minute }: Delivery,
    carried: readonly CustomerIdentifier[],
    anchor: CustomerIdentifier | undefined,
  ): void {
    const day = dayOf(minute);
    this.sightings.push({ carried: [...carried], anchor, identify: identify === true, name: nameOf(name), day });
  }

  /** Everybody of whom anything is known, and everything that speaks for two of them being one. */
  private evidence(): { people: Map<Uuid, Person>; meetings: Meeting[] } {
    const people = new Map<Uuid, Person>();
    const names = new Map<Uuid, Set<Name>>();
    const meetings = new Map<string, Meeting>();
    const meet = (
      one: CustomerIdentifier,
      other: CustomerIdentifier,
      kind: keyof typeof CONFIDENCE,
      day: number,
    ): void => {
      const pair = pairOf(identityOf(one), identityOf(other));
      const product = CONFIDENCE[kind] * (DISCOUNT[one.type] ?? 1) * (DISCOUNT[other.type] ?? 1);
      const confidence = Math.round(product * 1000) / 1000;
      const known = meetings.get(pair.join(' '));
      if (known) known.confidence = Math.max(known.confidence, confidence);
      else meetings.set(pair.join(' '), { pair, confidence, days: [] });
      meetings.get(pair.join(' '))!.days.push(day);
    };
    for (const { carried, anchor, identify, name, day } of this.sightings) {
      const all = [...carried];
      for (const one of carried) {
        const mailbox = { type: one.type, value: one.value.replace(/\+[^@]*/, '') };
        if (one.type !== 'email' || mailbox.value === one.value) continue;
        all.push(mailbox);
        meet(one, mailbox, 'same-mailbox', day);
      }
      for (const one of all) {
        const id = identityOf(one);
        if (!people.has(id)) people.set(id, { id, type: one.type, names: [], own: [] });
        if (name !== undefined) names.set(id, (names.get(id) ?? new Set()).add(name));
        if (anchor && identityOf(anchor) === id) people.get(id)!.own.push(day);
      }
      if (!anchor || anchor.type === 'handle') continue;
      for (const one of carried)
        if (one.type !== 'handle' && identityOf(one) !== identityOf(anchor))
          meet(anchor, one, identify ? 'identify' : 'same-interaction', day);
    }
    for (const [id, known] of names) if (known.size <= MOST_NAMES) people.get(id)!.names = [...known];
    return { people, meetings: [...meetings.values()] };
  }

  private decided(): { links: Pair[]; proposals: Pair[]; standings: ReadonlyMap<Uuid, Standing> } {
    const { people, meetings } = this.evidence();
    const standings = new Map([...people.values()].map((one) => [one.id, standingOf(one, people, meetings)]));
    const ruled = [...this.rulings.values()];
    const ruledOn = ([a, b]: Pair): boolean => this.rulings.has(textOf(a, b));
    const links = ruled.filter(({ together }) => together).map(({ pair }) => pair);
    const proposals: Pair[] = [];
    // What the rules alone make of everybody.
    const joined: Pair[] = [];
    const byWeight = (one: Omit<Meeting, 'days'>, other: Omit<Meeting, 'days'>): number =>
      other.confidence - one.confidence || (one.pair.join() < other.pair.join() ? -1 : 1);
    const everybody = [...people.keys(), ...erasOf(people.keys())];
    const candidates = meetings.map(({ pair: [a, b], confidence }) => {
      const ends = [atTime(a, standings.get(a)!, b), atTime(b, standings.get(b)!, a)] as const;
      return { pair: pairOf(ends[0].id, ends[1].id), confidence, ends };
    });
    for (const { pair, ends } of candidates.toSorted(byWeight)) {
      if (ends.some(({ closed }) => closed)) continue;
      const customers = componentsOf(everybody, joined);
      const accountsOf = (id: Uuid): Person[] =>
        [...people.values()].filter((one) => one.type === 'account' && customers.get(one.id) === customers.get(id));
      const clash =
        customers.get(pair[0]) !== customers.get(pair[1]) &&
        accountsOf(pair[0]).some((one) =>
          accountsOf(pair[1]).some((other) => areTwoPeople(one, other) || areStrangers(one, other)),
        );
      if (clash || ends.some(({ disputed }) => disputed)) {
        if (!ruledOn(pair)) proposals.push(pair);
        continue;
      }
      joined.push(pair);
      if (!ruledOn(pair)) links.push(pair);
    }
    return { links, proposals: [...proposals, ...this.namesakes(people, standings, joined, proposals)], standings };
  }

  /** Customers of one uncommon full name that nothing tells apart, and of whom nobody was asked yet or has said anything. */
  private namesakes(
    people: ReadonlyMap<Uuid, Person>,
    standings: ReadonlyMap<Uuid, Standing>,
    joined: readonly Pair[],
    asked: readonly Pair[],
  ): Pair[] {
    const all = [...people.values()].filter(({ type }) => type !== 'handle');
    const customers = componentsOf([...people.keys(), ...erasOf(people.keys())], joined);
    const customersOf = ([a, b]: Pair): string => textOf(customers.get(a) ?? a, customers.get(b) ?? b);
    const settled = new Set([...asked, ...[...this.rulings.values()].map(({ pair }) => pair)].map(customersOf));
    const accountsOf = (id: Uuid): Person[] =>
      all.filter((one) => one.type === 'account' && customers.get(one.id) === customers.get(id));
    const best = new Map<string, { pair: Pair; rank: number }>();
    for (const name of new Set(all.flatMap(({ names }) => names))) {
      const bearers = all.filter(({ names }) => names.includes(name));
      if (name.split(' ')[0]!.length === 1 || bearers.length > MOST_NAMESAKES) continue;
      const open = bearers.filter(({ id }) => {
        const { closed, disputed, former } = standings.get(id)!;
        return !closed && !disputed && former === undefined;
      });
      for (const [one, other] of pairsOf(open)) {
        const pair = pairOf(one.id, other.id);
        const key = customersOf(pair);
        if (customers.get(one.id) === customers.get(other.id) || settled.has(key)) continue;
        const rank = [one, other].reduce((sum, { type }) => sum + WEIGHTS.indexOf(type), 0);
        const known = best.get(key);
        if (!known || rank < known.rank || (rank === known.rank && pair.join() < known.pair.join()))
          best.set(key, { pair, rank });
      }
    }
    return [...best.values()]
      .map(({ pair }) => pair)
      .filter(([a, b]) => !accountsOf(a).some((one) => accountsOf(b).some((other) => areTwoPeople(one, other) || areStrangers(one, other)))); // prettier-ignore
  }
}

/** Places of the types in the order of anchors, verified ones included. */
const WEIGHTS = [
  'account',
  'loyalty',
  'verified email',
  'verified phone',
  'email',
  'phone',
  'social',
  'card',
  'cookie',
];

interface Standing {
  closed: boolean;
  disputed: boolean;
  /** Whose it is, where it changed hands. */
  holders?: Uuid[];
  /** The times in which it was others', the oldest first. */
  former?: Era[];
}

/** More eras than anybody has here. */
const MOST_ERAS = 5;
/** Ids of all eras that these may ever have. */
const erasOf = (identities: Iterable<Uuid>): Uuid[] =>
  [...identities].flatMap((id) => Array.from({ length: MOST_ERAS }, (_, n) => ids.formerEra(id, n)));

interface Era extends Standing {
  id: Uuid;
  holders: Uuid[];
  /** The first day that is no longer in it. */
  until: number;
}

/** How it stands with an identity in the time in which it was seen with another one. */
const atTime = (id: Uuid, standing: Standing, other: Uuid): Standing & { id: Uuid } =>
  standing.former?.find(({ holders }) => holders.includes(other)) ?? { ...standing, id };

const standingOf = (one: Person, people: ReadonlyMap<Uuid, Person>, meetings: readonly Meeting[]): Standing => {
  const closed = { closed: true, disputed: false };
  const limit = LIMITS[one.type];
  if (!limit) return closed;
  const beside = meetings
    .filter(({ pair }) => pair.includes(one.id))
    .map(({ pair, days }) => ({ person: people.get(pair[0] === one.id ? pair[1] : pair[0])!, days }));
  const accounts = beside.map(({ person }) => person).filter(({ type }) => type === 'account');
  if (beside.length > limit[0] || accounts.length > limit[1]) return closed;
  const stale = STALE_DAYS[one.type];
  const days = beside.flatMap((met) => met.days);
  if (stale !== undefined && days.length > 0)
    if (one.own.some((day) => day < Math.min(...days) - stale || day > Math.max(...days) + stale)) return closed;
  const named = one.type === 'account' ? [] : one.names.map((name) => ({ ...one, names: [name] }));
  const disputed = (of: readonly Person[]): boolean => pairsOf(of).some(([a, b]) => areStrangers(a, b));
  if (!pairsOf([...accounts, ...named]).some(([a, b]) => areTwoPeople(a, b)))
    return { closed: false, disputed: disputed(accounts) };

  // Two people: whose it is at which time, if that can be told.
  const apart = APART_DAYS[one.type];
  const explained = named.every((name) =>
    beside.some(({ person }) => person.names.length > 0 && !areTwoPeople(name, person)),
  );
  if (apart === undefined || !explained) return closed;
  // Stretches of use, first by silence alone; then those join again that may be one person's.
  const uses = beside.toSorted((a, b) => Math.min(...a.days) - Math.min(...b.days));
  const stretches: (typeof beside)[] = [];
  for (const use of uses) {
    const until = Math.max(...(stretches.at(-1) ?? []).flatMap((met) => met.days));
    if (stretches.length === 0 || Math.min(...use.days) - until > apart) stretches.push([use]);
    else stretches.at(-1)!.push(use);
  }
  const peopleIn = (stretch: typeof beside): Person[] => stretch.map(({ person }) => person);
  for (let n = 1; n < stretches.length;) {
    const [before, after] = [peopleIn(stretches[n - 1]!), peopleIn(stretches[n]!)];
    if (before.some((a) => after.some((b) => areTwoPeople(a, b)))) n++;
    else stretches.splice(n - 1, 2, [...stretches[n - 1]!, ...stretches[n]!]);
  }
  if (stretches.length < 2) return closed;
  if (stretches.some((stretch) => pairsOf(peopleIn(stretch)).some(([a, b]) => areTwoPeople(a, b)))) return closed;
  const times = stretches.map((stretch, n) => ({
    id: ids.formerEra(one.id, n),
    closed: false,
    disputed: disputed(peopleIn(stretch).filter(({ type }) => type === 'account')),
    holders: peopleIn(stretch).map(({ id }) => id),
    until: Math.min(...(stretches[n + 1] ?? []).flatMap((met) => met.days)),
  }));
  const { id: _id, until: _until, ...now } = times.pop()!;
  return { ...now, former: times };
};

/** The earliest member of everybody's component. */
const componentsOf = (order: readonly Uuid[], links: readonly Pair[]): Map<Uuid, Uuid> => {
  const customerOf = new Map(order.map((id) => [id, id]));
  for (let changed = true; changed;) {
    changed = false;
    for (const pair of links) {
      const ends = pair.map((id) => order.indexOf(customerOf.get(id)!));
      const first = order[Math.min(...ends)]!;
      for (const end of pair) {
        if (customerOf.get(end) === first) continue;
        customerOf.set(end, first);
        changed = true;
      }
    }
  }
  return customerOf;
};
