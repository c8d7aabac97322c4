import { SCHEMAS, type DomainEvent } from '#libs/domain';
import type { EventStore, NewEvent, StoredEvent, StreamCategory, StreamId, StreamRevision } from '#libs/event-store';
import { LruMap, codeOf, type IdFactory, type Uuid } from '#libs/kernel';

/** What the rules say of one stream. */
export interface Decided {
  tenant: string;
  stream: StreamId;
  event: DomainEvent;
  /** Tells two decisions of one stream and revision apart; the type, where it says everything. */
  digest: string;
  /** Of the event before it in its stream; -1 for none. */
  before: StreamRevision;
  /** Identities that it is about. */
  about: readonly Uuid[];
  /** Puts back what was known before it. */
  undo: () => void;
}

/** Not appended yet. */
interface Decision extends Pick<Decided, 'stream' | 'about' | 'undo'> {
  event: NewEvent;
  revision: StreamRevision;
}

const REMEMBERED_DECISIONS = 10_000;

/** The order of appending: a link to a former era needs the event that tells of the era in front of it. */
const IN_ORDER: readonly StreamCategory[] = ['eras', 'link'];

/** What was decided in the running batch and is not appended yet. */
export class Decisions {
  /** Ids of events decided lately: they come by in the log again, and say nothing new then. */
  private readonly ours = new LruMap<Uuid, true>(REMEMBERED_DECISIONS);
  /** By stream, in its order. */
  private readonly waiting = new Map<StreamId, Decision[]>();

  constructor(
    private readonly ids: Pick<IdFactory, 'event'>,
    private readonly append: EventStore['append'],
  ) {}

  add({ tenant, stream, event: { type, data }, digest, before, about, undo }: Decided): void {
    const revision = before + 1;
    // The same decision at the same place has the same id: a repeated batch gives it again, and the store knows it.
    const id = this.ids.event(stream, revision, digest);
    const decision = { stream, event: { id, type, schema: SCHEMAS[type] ?? 1, tenant, data }, revision, about, undo };
    this.ours.set(id, true);
    const decisions = this.waiting.get(stream);
    if (decisions) decisions.push(decision);
    else this.waiting.set(stream, [decision]);
  }

  /** Takes back what is not appended yet. */
  drop(stream: StreamId): void {
    this.waiting.delete(stream);
  }

  isOurs({ id }: StoredEvent): boolean {
    return this.ours.get(id) === true;
  }

  /**
   * A decision of ours is known already, or of this batch when it was appended before a crash. Anything else on the
   * stream is news: an agent's ruling, or what other rules decided; it stands, and what we decided in its place falls.
   * @param known revision of the last event of the stream that is known
   */
  isNews({ id, stream, revision }: StoredEvent, known: StreamRevision): boolean {
    const decisions = this.waiting.get(stream) ?? [];
    const index = decisions.findIndex((decision) => decision.revision === revision);
    if (decisions[index]?.event.id === id) return false;
    if (index === -1 && revision <= known) return false;
    if (index !== -1) decisions.splice(index);
    return true;
  }

  /**
   * Appends the decisions, each stream in order, all streams of a kind at once, and puts back what was known before those
   * that met somebody else's event. Waits for all of them, so that nothing is under way any more when the batch is given up.
   */
  async record(): Promise<void> {
    const lost = new Set<Uuid>();
    for (const category of IN_ORDER) {
      const streams = [...this.waiting].filter(([stream]) => stream.startsWith(`${category}-`));
      const results = await Promise.allSettled(
        streams.map(async ([, decisions]) =>
          decisions[0]?.about.some((id) => lost.has(id)) ? decisions[0] : this.recordStream(decisions),
        ),
      );
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      for (const result of results) {
        if (result.status !== 'fulfilled' || !result.value) continue;
        result.value.undo();
        if (category === 'eras') for (const id of result.value.about) lost.add(id);
      }
    }
  }

  /** The end of a batch. */
  clear(): void {
    this.waiting.clear();
  }

  /** The end of a batch that is given up: it will be repeated. */
  forget(): void {
    this.ours.clear();
  }

  /** @returns the first that conflicted */
  private async recordStream(decisions: readonly Decision[]): Promise<Decision | undefined> {
    for (const decision of decisions) {
      try {
        const expected = decision.revision === 0 ? 'no_stream' : decision.revision - 1;
        await this.append(decision.stream, [decision.event], expected);
      } catch (error) {
        // Someone else wrote there meanwhile, or an end of it is being erased: that event comes later in the log, and will
        // be settled then.
        const code = codeOf(error);
        if (code === 'EVENT_STORE.REVISION_CONFLICT' || code === 'PRIVACY.IDENTITY_ERASED') return decision;
        throw error;
      }
    }
    return undefined;
  }
}
