import { Injectable } from '@nestjs/common';
import { upcast, type InteractionEvent, type ProfileImported } from '#libs/domain';
import { EventStore, streamId, type Position, type StoredEvent, type StreamId } from '#libs/event-store';
import { Clock, INTERACTION_KINDS, toInstant, uuidOfBytes, type AGENT_WORK_KINDS, type Uuid } from '#libs/kernel';
import { AGENT_WORK_CODES, KIND_CODES, ProjectionProgress, ReadModel } from '#libs/projections';
import { accessEntries, showAccess } from '../access-log/access-entries.js';
import { Past, type PastIdentity, type PastLink } from '../as-of/past.js';
import { showConsent, showPreference } from '../consents/show-statements.js';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { CustomerReader, type CustomerRows } from '../customers/customer-reader.js';
import { LinkReader, namedIdentity } from '../links/link-reader.js';
import { pageOf } from '../shared/cursor.js';
import { jsonText } from '../shared/json-text.js';
import type { EntryRow } from '../timeline/entries.js';

/** Rows asked for at once. */
const PAGE = 100;
const INTERACTION_CODES = INTERACTION_KINDS.map((kind) => KIND_CODES.indexOf(kind));

/** Whose data, and up to where in the log. */
interface Whose {
  tenant: string;
  position: Position;
  identities: readonly PastIdentity[];
  /** Keys of the identities. */
  keys: readonly number[];
}

/** A document on its way. */
export interface CustomerDocument {
  /** Id of the customer. */
  id: Uuid;
  /** JSON, piece by piece; what is not taken is not read. */
  text: AsyncGenerator<string, void, void>;
}

/**
 * Everything stored about a person, as of one position of the log, whatever is recorded or linked while it is read. Of
 * a timeline it holds one page in memory, and of a contact what is being written.
 */
@Injectable()
export class CustomerData {
  constructor(
    private readonly readModel: ReadModel,
    private readonly store: EventStore,
    private readonly customers: CustomerDirectory,
    private readonly reader: CustomerReader,
    private readonly links: LinkReader,
    private readonly progress: ProjectionProgress,
    private readonly clock: Clock,
  ) {}

  /** @throws HubError `CUSTOMER.NOT_FOUND` */
  async of(tenant: string, id: string): Promise<CustomerDocument> {
    const position = this.progress.of(tenant).position();
    const nowMs = this.clock.nowMs();
    const { keys, rows, links, others } = await this.customers.inPast(tenant, id, position, async (past, own) => {
      const found = await past.links(own);
      const far = found.flatMap(({ a, b }) => [a, b]).filter((key) => !own.includes(key));
      return { keys: own, rows: await this.reader.readPast(past, own), links: found, others: await past.identities(far) };
    }); // prettier-ignore
    const { identities: _, profiles: __, ...customer } = await this.reader.show(rows, nowMs);
    const whose: Whose = { tenant, position, identities: rows.identities, keys };
    const text = jsonText({
      generatedAt: toInstant(nowMs),
      position,
      customer,
      identities: rows.identities.map(namedIdentity),
      links: this.linksOf(links, new Map([...rows.identities, ...others].map((one) => [one.key, one])), position),
      profiles: this.profilesOf(whose),
      consents: consentsOf(rows),
      preferences: preferencesOf(rows),
      interactions: this.interactionsOf(whose),
      written: this.writtenOf(whose),
      accessLog: this.accessLogOf(whose),
    });
    return { id: customer.id, text };
  }

  /** The far end of a link to somebody else is named by its id alone: it is not this person's to know. */
  private async *linksOf(links: readonly PastLink[], ends: ReadonlyMap<number, PastIdentity>, position: Position) {
    for (const { id, a, b, status } of links) {
      const link = uuidOfBytes(id);
      const decisions = await this.links.decisions(link, position);
      yield { id: link, status, between: [a, b].map((key) => uuidOfBytes(ends.get(key)!.id)), decisions };
    }
  }

  private async *profilesOf({ tenant, position, identities }: Whose) {
    for (const { id, type } of identities) {
      if (type !== 'profile') continue;
      const identity = uuidOfBytes(id);
      const stored = await this.eventsOf(streamId('identity', identity), tenant, position);
      const imports = stored.filter((event) => event.type === 'ProfileImported').map(revisionOf);
      yield { identity, receipt: { receipt: identity, status: 'recorded', position: imports.at(-1)?.position }, imports };
    } // prettier-ignore
  }

  private async *interactionsOf(whose: Whose) {
    for await (const { id, conversation } of this.entriesOf(whose, INTERACTION_CODES)) {
      const revisions = await this.eventsOf(streamId('interaction', id), whose.tenant, whose.position);
      const last = revisions.at(-1);
      // Erased meanwhile.
      if (!last) continue;
      const status = last.type === 'InteractionCorrected' ? 'corrected' : 'recorded';
      const receipt = { receipt: id, status, position: last.position };
      yield { id, conversation, receipt, revisions: revisions.map(revisionOf) };
    }
  }

  /** Notes and commitments, each with what became of it. */
  private async *writtenOf(whose: Whose) {
    for await (const { id, kind } of this.entriesOf(whose, AGENT_WORK_CODES)) {
      const name = KIND_CODES[kind] as (typeof AGENT_WORK_KINDS)[number];
      const events = await this.eventsOf(streamId(name, id), whose.tenant, whose.position);
      yield { id, kind: name, events: events.map(factOf) };
    }
  }

  private async *accessLogOf({ keys, position }: Whose) {
    for (let below = position + 1; ;) {
      const rows = await accessEntries(this.readModel.db)
        .where('access.identity', 'in', keys)
        .where('access.position', '<', below)
        .limit(PAGE)
        .execute();
      yield* rows.map(showAccess);
      if (rows.length < PAGE) return;
      below = rows.at(-1)!.position;
    }
  }

  /** The timeline, newest first. */
  private async *entriesOf(
    { keys, position }: Whose,
    kinds: readonly number[],
  ): AsyncGenerator<EntryRow, void, void> {
    for (let before: string | undefined; ;) {
      const bounds = { limit: PAGE, kinds, ...(before !== undefined && { before }) };
      const found = await this.readModel.snapshot((db) => new Past(db, position).timeline(keys, bounds));
      const { rows, cursors } = pageOf(found, bounds);
      yield* rows;
      if (cursors.next === undefined) return;
      before = cursors.next;
    }
  }

  private async eventsOf(stream: StreamId, tenant: string, through: Position): Promise<StoredEvent[]> {
    const events = await this.store.read(stream);
    return events.filter((event) => event.tenant === tenant && event.position <= through);
  }
}

const revisionOf = (event: StoredEvent) => {
  const { digest: _, ...content } = (upcast(event) as InteractionEvent | ProfileImported).data;
  return { position: event.position, recordedAt: toInstant(event.recordedAtMs), ...content };
};

const factOf = (event: StoredEvent) => {
  const { type, data } = upcast(event);
  return { type, position: event.position, recordedAt: toInstant(event.recordedAtMs), ...data };
};

const idsOf = ({ identities }: CustomerRows) => {
  const ids = new Map(identities.map(({ key, id }) => [key, uuidOfBytes(id)]));
  return (key: number): Uuid => ids.get(key)!;
};

const byPosition = (one: { position: number }, other: { position: number }): number => one.position - other.position;

/** Everything that was ever said, in the order in which it was recorded. */
const consentsOf = (rows: CustomerRows) => {
  const idOf = idsOf(rows);
  return rows.consents
    .toSorted(byPosition)
    .map((row) => Object.assign(showConsent(row, idOf), { position: row.position }));
};

const preferencesOf = (rows: CustomerRows) => {
  const idOf = idsOf(rows);
  return rows.preferences.toSorted(byPosition).map((row) => ({
    ...(row.channel === null ? { withdrawn: true } : { channel: row.channel }),
    ...showPreference(row, idOf),
    position: row.position,
  }));
};
