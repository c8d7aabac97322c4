import {
  DEFAULT_RULES,
  bornNames,
  changesTo,
  gather,
  resolve,
  touchedBy,
  upcast,
  versionOf,
  type ContactSummary,
  type Evidence,
  type FormerId,
  type Gathered,
  type IdentityErasDecided,
  type IdentityErased,
  type IdentityRules,
  type LinkEvent,
  type LinkedPair,
  type Neighbourhood,
  type ProfileImported,
  type SenderAliasSeen,
  type Resolution,
} from '#libs/domain';
import { streamId, type EventStore, type Position, type StoredEvent } from '#libs/event-store';
import { LruMap, UuidSet, type IdFactory, type Uuid } from '#libs/kernel';
import { Decisions } from './decisions.js';
import { IdentityState } from './identity.state.js';
import type { KnownEras, KnownLink, LinkStatus } from './identity.tables.js';
import { Sightings, dateOf, dayOf, type Sighting } from './sightings.js';

/** What the resolver's file is called in a data directory. */
export const IDENTITY_FILE = 'identity.db';

export interface IdentityResolverOptions {
  /** Path of the resolver's own SQLite file; made where absent. What it holds can be read from the log again. */
  file: string;
  ids: IdFactory;
  /** Where decisions go: `EventStore.append`, or a way to it. */
  append: EventStore['append'];
  /** What is erased already; what the log says was erased is added. @default nothing */
  erased?: UuidSet;
  /** Other rules than those that filled the file decide everything again from position 0. @default DEFAULT_RULES */
  rules?: IdentityRules;
  /** Whether a tenant is one of those it decides for. @default all */
  decidesFor?: (tenant: string) => boolean;
}

type FollowedEvent =
  | IdentityErased
  | { type: 'InteractionRecorded' | 'InteractionCorrected'; data: ContactSummary }
  | SenderAliasSeen
  | ProfileImported
  | IdentityErasDecided
  | LinkEvent;

const REMEMBERED_COMBINATIONS = 30_000;
const LONGEST_COMBINATION = 512;

/**
 * Decides who is who: follows the log in order and appends what follows to the link streams. There must be one for each
 * tenant of a log. The same log gives the same decisions, whatever the batches and however often it is started again.
 */
export class IdentityResolver {
  private readonly sightings: Sightings;
  private readonly version: string;
  /** What identities, verified or not, came together under which name: whatever was seen once brings no news again. */
  private readonly combinations = new LruMap<string, true>(REMEMBERED_COMBINATIONS);
  private readonly decisions: Decisions;

  private constructor(
    private readonly state: IdentityState,
    private readonly ids: IdFactory,
    append: EventStore['append'],
    private readonly rules: IdentityRules,
    private readonly erased: UuidSet,
    private readonly decidesFor: (tenant: string) => boolean,
  ) {
    this.sightings = new Sightings(ids, erased, rules);
    this.decisions = new Decisions(ids, append);
    this.version = versionOf(rules);
  }

  static open({
    file,
    ids,
    append,
    erased = new UuidSet(),
    rules = DEFAULT_RULES,
    decidesFor = () => true,
  }: IdentityResolverOptions): IdentityResolver {
    const unerased = ids.after(erased);
    const state = IdentityState.open(file, rules, unerased);
    return new IdentityResolver(state, unerased, append, rules, erased, decidesFor);
  }

  /** Position of the last event whose decisions are recorded. */
  async checkpoint(): Promise<Position> {
    return this.state.checkpoint;
  }

  /**
   * Takes in the events after the checkpoint, without a gap; earlier ones are passed over. Resolves when their decisions
   * are appended and the checkpoint has moved. One call at a time.
   *
   * @throws what `append` throws, except a revision conflict; nothing of the batch is known then, and giving it again
   *   repeats the same appends.
   */
  async apply(events: readonly StoredEvent[]): Promise<void> {
    const last = events.at(-1);
    if (!last || last.position <= this.state.checkpoint) return;
    this.state.begin();
    try {
      for (const event of events)
        if (event.position > this.state.checkpoint && this.decidesFor(event.tenant)) this.take(event);
      await this.decisions.record();
      this.state.commit(last.position);
    } catch (error) {
      this.combinations.clear();
      this.decisions.forget();
      this.state.rollback();
      throw error;
    } finally {
      this.decisions.clear();
    }
  }

  async close(): Promise<void> {
    this.state.close();
  }

  private take(stored: StoredEvent): void {
    const event = upcast(stored) as FollowedEvent;
    switch (event.type) {
      case 'InteractionRecorded':
      case 'InteractionCorrected':
        return this.takeContact(stored.tenant, event.data);
      case 'SenderAliasSeen':
        return this.takeSighting(stored.tenant, this.sightings.ofContact(stored.tenant, event.data));
      case 'ProfileImported':
        return this.takeSighting(stored.tenant, this.sightings.ofProfile(stored.tenant, event.data));
      case 'IdentitiesLinked':
      case 'LinkProposed':
      case 'LinkConfirmed':
      case 'LinkRejected':
      case 'LinkRetracted':
        return this.takeLinkEvent(stored, event);
      case 'IdentityErasDecided':
        return this.takeEras(stored, event.data);
      case 'IdentityErased':
        return this.takeErasure(event.data.identity);
    }
  }

  /** What it was seen with is decided anew only when it is seen again: to be forgotten is no news of others. */
  private takeErasure(identity: Uuid): void {
    this.erased.add(identity);
    for (const one of [identity, ...this.state.formersOf(identity)])
      for (const link of this.state.linksOf(one)) this.decisions.drop(streamId('link', link.id));
    this.decisions.drop(streamId('eras', identity));
    this.state.forget(identity);
    this.sightings.forget();
    this.combinations.clear();
  }

  private takeContact(tenant: string, content: ContactSummary): void {
    // A contact without a usable identifier carries its conversation, last, as its anchor: nothing to link.
    const last = content.identities.at(-1);
    if (last?.type === 'conversation' && last.identity === content.anchor) return;
    const combination = this.combinationOf(content);
    if (this.combinations.get(combination)) return;
    this.takeSighting(tenant, this.sightings.ofContact(tenant, content));
    if (combination.length <= LONGEST_COMBINATION) this.combinations.set(combination, true);
  }

  private takeSighting(tenant: string, { identities, evidence }: Sighting): void {
    const facts: Uuid[] = [];
    const timed = new Set<Uuid>();
    for (const one of identities) {
      const news = this.state.observe(one.id, one);
      if (news === 'facts') facts.push(one.id);
      if (news === 'time') timed.add(one.id);
    }
    const pairs = evidence.filter((item) => {
      const news = this.state.addEvidence(item);
      if (news === 'time') timed.add(item.a).add(item.b);
      return news === 'facts';
    });
    this.state.flush();
    const touched = this.touchedBy(facts, pairs);
    for (const id of timed) if (this.dependsOnTime(id)) touched.add(id);
    if (touched.size > 0) this.settle(tenant, touched);
  }

  private touchedBy(facts: readonly Uuid[], evidence: readonly Evidence[]): Set<Uuid> {
    const touched = touchedBy({ evidence }, this.state);
    for (const id of facts) {
      if (this.standsAlone(id)) continue;
      // The rules ask for the facts of a neighbour only where it stands for a person, or where time is told by it; a busy
      // landline spares its callers.
      const type = this.state.facts(id)?.type ?? '';
      const reached = touchedBy({ facts: [id] }, this.state);
      if (this.rules.holderTypes.has(type)) for (const one of reached) touched.add(one);
      else {
        touched.add(id);
        for (const one of reached) if (this.isTimed(this.state.facts(one)?.type)) touched.add(one);
      }
    }
    return touched;
  }

  private dependsOnTime(id: Uuid): boolean {
    const window = this.rules.windows[this.state.facts(id)?.type ?? ''];
    if (window === undefined) return false;
    if (window.staleDays !== undefined || this.state.neighbourCount(id) > 1) return true;
    // Who had it before may have been erased.
    return (this.state.erasOf(id)?.former.length ?? 0) > 0;
  }

  private isTimed(type: string | undefined): boolean {
    return type !== undefined && this.rules.windows[type] !== undefined;
  }

  /** Everything of a contact that the rules look at, as one text. */
  private combinationOf({ kind, anchor, identities, name, occurredAt }: ContactSummary): string {
    let text = kind === 'identify' ? `!${anchor}` : anchor;
    for (const { identity, verified, blocked } of identities) {
      if (!blocked) text += verified ? `+${identity}` : `-${identity}`;
    }
    if (identities.some(({ type }) => this.isTimed(type))) text += `@${dayOf(occurredAt)}`;
    return name === undefined ? text : `${text} ${name}`;
  }

  private standsAlone(id: Uuid): boolean {
    if (this.state.neighbourCount(id) > 0 || this.state.settledWith(id).length > 0) return false;
    const facts = this.state.facts(id);
    return !facts || bornNames(facts, this.rules).every((name) => this.state.bearerCount(name) <= 1);
  }

  private takeLinkEvent(stored: StoredEvent, event: LinkEvent): void {
    if (this.decisions.isOurs(stored)) return;
    const known = this.knownLink(event);
    if (!known || !this.decisions.isNews(stored, known.revision)) return;
    const { verdict: before, ...link } = known;
    const status = STATUS_AFTER[event.type];
    const ruled = status === 'linked' ? 'together' : 'apart';
    const verdict = event.data.by && event.type !== 'LinkProposed' ? ruled : before;
    this.state.putLink({ ...link, status, ...(verdict && { verdict }), revision: stored.revision });
    this.settle(stored.tenant, new Set([known.a, known.b]));
  }

  private takeEras(stored: StoredEvent, { identity, former }: IdentityErasDecided['data']): void {
    if (this.decisions.isOurs(stored) || !this.state.facts(identity)) return;
    if (!this.decisions.isNews(stored, this.state.erasOf(identity)?.revision ?? -1)) return;
    const told = former.map((era) => ({ id: era.identity, until: dayOf(`${era.until}T00:00:00.000Z`) }));
    this.state.putEras(identity, { former: told, revision: stored.revision });
    this.settle(stored.tenant, new Set([identity]));
  }

  private knownLink({ data }: LinkEvent): KnownLink | undefined {
    if ('a' in data && (this.erased.has(data.a) || this.erased.has(data.b))) return undefined;
    const end = 'a' in data ? data.a : undefined;
    const known = this.state.link(data.link, end);
    if (known || !('a' in data)) return known;
    this.state.mention(data.a);
    this.state.mention(data.b);
    return { id: data.link, ...ordered(data), status: 'none', revision: -1 };
  }

  /** Decides again what may have changed around these identities. */
  private settle(tenant: string, touched: Iterable<Uuid>): void {
    const neighbourhood = gather(touched, this.state, this.rules);
    for (const gathered of neighbourhood.identities.values()) this.divide(tenant, gathered);
    const links = new Map<Uuid, KnownLink>();
    const proposals = new Map<Uuid, KnownLink>();
    for (const id of neighbourhood.identities.keys()) {
      for (const link of this.state.linksOf(id)) {
        if (link.status === 'linked') links.set(link.id, link);
        else if (link.status === 'proposed') proposals.set(link.id, link);
      }
    }
    const resolution = resolve(neighbourhood, this.rules);
    const changes = changesTo(resolution, { links: links.values(), proposals: proposals.values() });
    const rule = this.version;
    const reasonFor = (pair: LinkedPair): string => reasonOf(pair, neighbourhood, resolution);
    // Others know an identity from the event that carried it. A link to one that none carried waits for that event.
    const isShown = ({ a, b }: LinkedPair): boolean => this.state.isCarried(a) && this.state.isCarried(b);

    for (const pair of changes.retract)
      this.decide(tenant, pair, (link) => ({ type: 'LinkRetracted', data: { link, rule, reason: reasonFor(pair) } }));
    const linked = changes.link.filter(isShown);
    for (const { a, b, evidence, confidence } of linked)
      this.decide(tenant, { a, b }, (link) => ({
        type: 'IdentitiesLinked',
        data: { link, a, b, rule, evidence, confidence },
      }));
    for (const pair of changes.withdraw) {
      // A link takes the place of its proposal.
      if (linked.some(({ a, b }) => a === pair.a && b === pair.b)) continue;
      this.decide(tenant, pair, (link) => ({ type: 'LinkRejected', data: { link, rule, reason: reasonFor(pair) } }));
    }
    for (const { a, b, evidence, reason, confidence } of changes.propose.filter(isShown))
      this.decide(tenant, { a, b }, (link) => ({
        type: 'LinkProposed',
        data: { link, a, b, rule, evidence, reason, confidence },
      }));
  }

  /** Tells which eras an identity has, where the log says otherwise. */
  private divide(tenant: string, { facts: { id: identity }, whole, former = [] }: Gathered): void {
    const known: KnownEras = this.state.erasOf(identity) ?? { former: [], revision: -1 };
    if (whole !== undefined || areSame(known.former, former) || !this.state.isCarried(identity)) return;
    const revision = known.revision + 1;
    this.state.putEras(identity, { former, revision });
    const data: IdentityErasDecided['data'] = {
      identity,
      former: former.map((era) => ({ identity: era.id, until: dateOf(era.until) })),
      rule: this.version,
    };
    this.decisions.add({
      tenant,
      stream: streamId('eras', identity),
      event: { type: 'IdentityErasDecided', data },
      digest: JSON.stringify(data),
      before: known.revision,
      about: former.map(({ id }) => id),
      undo: () => this.state.putEras(identity, known),
    });
  }

  private decide(tenant: string, pair: LinkedPair, eventOn: (link: Uuid) => LinkEvent): void {
    const id = this.ids.link(tenant, pair.a, pair.b);
    const before = this.state.link(id, pair.a) ?? { id, ...ordered(pair), status: 'none', revision: -1 };
    const event = eventOn(id);
    this.state.putLink({ ...before, status: STATUS_AFTER[event.type], revision: before.revision + 1 });
    this.decisions.add({
      tenant,
      stream: streamId('link', id),
      event,
      digest: event.type,
      before: before.revision,
      about: [pair.a, pair.b],
      undo: () => this.state.putLink(before),
    });
  }
}

const STATUS_AFTER: Readonly<Record<LinkEvent['type'], LinkStatus>> = {
  IdentitiesLinked: 'linked',
  LinkConfirmed: 'linked',
  LinkProposed: 'proposed',
  LinkRejected: 'none',
  LinkRetracted: 'none',
};

const areSame = (one: readonly FormerId[], other: readonly FormerId[]): boolean =>
  one.length === other.length &&
  one.every(({ id, until }, index) => id === other[index]!.id && until === other[index]!.until);

const ordered = ({ a, b }: LinkedPair): LinkedPair => (a < b ? { a, b } : { a: b, b: a });

/** Why the rules no longer hold a pair together, for the agent who reads its history. */
const reasonOf = ({ a, b }: LinkedPair, { identities }: Neighbourhood, { links, proposals }: Resolution): string => {
  const isPair = (other: LinkedPair): boolean => other.a === a && other.b === b;
  const proposal = proposals.find(isPair);
  if (proposal) return proposal.reason;
  if (links.some(isPair)) return 'linked';
  const ends = [identities.get(a), identities.get(b)].filter((end) => end !== undefined);
  const closed = ends.find(({ standing }) => standing !== 'open');
  if (closed) return closed.standing;
  return ends.some(({ holders }) => holders) ? 'changed-hands' : 'no-evidence';
};
