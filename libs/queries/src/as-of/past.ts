import type { Expression, Kysely, SqlBool } from 'kysely';
import {
  AGENT_WORK_CODES,
  type ConsentTable,
  type IdentityTable,
  type LinkTable,
  type PreferenceTable,
  type ReadModelSchema,
} from '#libs/projections';
import { kysely } from '#libs/projections/read-model/kysely.js';
import { bytesOfUuid, isUuid } from '#libs/kernel';
import { commitmentRows, type CommitmentRow } from '../agent-work/open-commitments.js';
import type { ShownIdentity } from '../customers/show-identity.js';
import { conditionsOf, type PageQuestion } from '../shared/page-conditions.js';
import { entryText, pastEntryText, readEntry, type EntryRow } from '../timeline/entries.js';

/** Keys asked for in one statement; engines bound the number of values. */
const KEYS_A_STATEMENT = 1000;

/** A link as it stood; `lastPosition` is where it came to stand so. */
export type PastLink = Omit<LinkTable, 'key' | 'tenant'> & { key: number };

/** An identity as it was known. */
export type PastIdentity = ShownIdentity & Pick<IdentityTable, 'name' | 'nameAt'> & { key: number };

/** How many contacts on a channel in a direction, and the first and last instant of them. */
export interface ContactCount {
  channel: number;
  direction: number;
  count: number;
  first: number;
  last: number;
}

const sums = () => {
  const { sql } = kysely();
  const occurredAt = sql.ref('occurredAt');
  return [
    sql<number>`count(*)`.as('count'),
    sql<number>`min(${occurredAt})`.as('first'),
    sql<number>`max(${occurredAt})`.as('last'),
  ] as const;
};

/**
 * The read model as it was when the log ended at `position`: what a read model folded up to there would hold. It needs
 * rows folded at least that far, and all its reads one snapshot of them (`ReadModel.snapshot`).
 *
 * A row of now is also one of then unless an event changed it since; then `…_past` holds what it said. A customer of
 * then may be part of a larger one of now, or spread over several: it is found by walking the links of then, and its
 * contacts in the timelines of the customers its identities belong to now.
 */
export class Past {
  constructor(
    private readonly db: Kysely<ReadModelSchema>,
    readonly position: number,
  ) {}

  /** Key of an identity known by then; undefined for unknown and malformed ids and those of other tenants alike. */
  async identity(tenant: number | undefined, id: string): Promise<number | undefined> {
    if (tenant === undefined || !isUuid(id)) return undefined;
    const row = await this.db
      .selectFrom('identity')
      .select(['key', 'tenant', 'firstPosition'])
      .where('id', '=', bytesOfUuid(id))
      .executeTakeFirst();
    return row?.tenant === tenant && row.firstPosition <= this.position ? row.key : undefined;
  }

  /** The customers of then that these identities belonged to: keys of all their identities in order, the earliest customer first. */
  async customersOf(identities: Iterable<number>): Promise<number[][]> {
    const starts = [...new Set(identities)];
    const linked = new Map<number, number[]>(starts.map((key) => [key, []]));
    for (let reached = starts; reached.length > 0;) {
      const found = new Set<number>();
      for (const { identity, neighbour } of await this.neighboursOf(reached)) {
        linked.get(identity)!.push(neighbour);
        if (!linked.has(neighbour)) found.add(neighbour);
      }
      reached = [...found];
      for (const key of reached) linked.set(key, []);
    }
    const customers: number[][] = [];
    const placed = new Set<number>();
    for (const start of starts) {
      if (placed.has(start)) continue;
      const members = new Set([start]);
      for (const key of members) for (const neighbour of linked.get(key)!) members.add(neighbour);
      for (const key of members) placed.add(key);
      customers.push([...members].toSorted((a, b) => a - b));
    }
    return customers.toSorted(([a], [b]) => a! - b!);
  }

  private neighboursOf(identities: readonly number[]): Promise<{ identity: number; neighbour: number }[]> {
    const active = (end: 'link.a' | 'link.b', other: 'link.a' | 'link.b', keys: readonly number[]) =>
      this.db
        .selectFrom('link')
        .leftJoin('link_past', (join) =>
          join
            .onRef('link_past.link', '=', 'link.key')
            .on('link_past.since', '<=', this.position)
            .on('link_past.until', '>', this.position),
        )
        .select([`${end} as identity`, `${other} as neighbour`])
        .where(end, 'in', keys)
        .where('link.firstPosition', '<=', this.position)
        .where((e) => e(e.fn.coalesce('link_past.status', 'link.status'), '=', 'active'));
    return inSlices(identities, (keys) =>
      active('link.a', 'link.b', keys)
        .unionAll(active('link.b', 'link.a', keys))
        .execute(),
    );
  }

  /** Identities as they were known, in the order of their keys. */
  async identities(keys: readonly number[]): Promise<PastIdentity[]> {
    const rows = await inSlices(keys, (slice) =>
      this.db
        .selectFrom('identity')
        .leftJoin('identity_past', (join) =>
          join
            .onRef('identity_past.identity', '=', 'identity.key')
            .on('identity_past.since', '<=', this.position)
            .on('identity_past.until', '>', this.position),
        )
        .select([
          'identity.key', 'identity.id', 'identity.type', 'identity.value', 'identity.verified', 'identity.name',
          'identity.nameAt', 'identity.heldFrom', 'identity.heldUntil', 'identity_past.until',
          'identity_past.verified as verifiedThen', 'identity_past.name as nameThen',
          'identity_past.nameAt as nameAtThen', 'identity_past.heldFrom as heldFromThen',
          'identity_past.heldUntil as heldUntilThen',
        ])
        .where('identity.key', 'in', slice)
        .orderBy('identity.key')
        .execute(),
    ); // prettier-ignore
    return rows.map(({ until, verifiedThen, nameThen, nameAtThen, heldFromThen, heldUntilThen, ...now }) => {
      if (until === null) return now;
      const then = { name: nameThen, nameAt: nameAtThen, heldFrom: heldFromThen, heldUntil: heldUntilThen };
      return { ...now, verified: verifiedThen!, ...then };
    });
  }

  /** Every link of these identities as it stood, also those proposed, rejected and retracted by then. */
  async links(identities: readonly number[]): Promise<PastLink[]> {
    const ends = ['link.key', 'link.id', 'link.a', 'link.b', 'link.firstPosition'] as const;
    const found = await inSlices(identities, (keys) => {
      const { sql } = kysely();
      const touching = sql<boolean>`(link.a in (${sql.join(keys)}) or link.b in (${sql.join(keys)}))`;
      return this.db
        .selectFrom('link')
        .select([
          ...ends, 'link.status', 'link.evidence', 'link.confidence', 'link.rule', 'link.agent', 'link.reason',
          'link.lastPosition',
        ])
        .where(touching)
        .where('link.lastPosition', '<=', this.position)
        .where('link.status', '<>', 'erased')
        .unionAll(
          this.db
            .selectFrom('link')
            .innerJoin('link_past', 'link_past.link', 'link.key')
            .select([
              ...ends, 'link_past.status', 'link_past.evidence', 'link_past.confidence', 'link_past.rule',
              'link_past.agent', 'link_past.reason', 'link_past.since as lastPosition',
            ])
            .where(touching)
            .where('link_past.since', '<=', this.position)
            .where('link_past.until', '>', this.position),
        )
        .execute();
    }); // prettier-ignore
    // A link between identities of two slices was found by both.
    return [...new Map(found.map((link) => [link.key, link])).values()].toSorted((a, b) => a.key - b.key);
  }

  /** JSON of the imported records of these identities, in the order of their keys. */
  async profiles(identities: readonly number[]): Promise<string[]> {
    const rows = await inSlices(identities, (keys) =>
      this.db
        .selectFrom('profile')
        .select(['identity', 'data'])
        .where('identity', 'in', keys)
        .where('position', '<=', this.position)
        .unionAll(
          this.db
            .selectFrom('profile_past')
            .select(['identity', 'data'])
            .where('identity', 'in', keys)
            .where('since', '<=', this.position)
            .where('until', '>', this.position),
        )
        .execute(),
    );
    return rows.toSorted((a, b) => a.identity - b.identity).map(({ data }) => data);
  }

  /** Everything these identities and their records had said of consents, in no order. */
  consents(identities: readonly number[]): Promise<ConsentTable[]> {
    return inSlices(identities, (keys) =>
      this.db
        .selectFrom('consent')
        .selectAll()
        .where('identity', 'in', keys)
        .where('position', '<=', this.position)
        .execute(),
    );
  }

  /** Every wish for a channel that these identities had stated or taken back, in no order. */
  preferences(identities: readonly number[]): Promise<PreferenceTable[]> {
    return inSlices(identities, (keys) =>
      this.db
        .selectFrom('preference')
        .selectAll()
        .where('identity', 'in', keys)
        .where('position', '<=', this.position)
        .execute(),
    );
  }

  /** The anchors of contacts and profiles that an identity had been seen with. */
  async seenWith(identity: number): Promise<number[]> {
    const rows = await this.db
      .selectFrom('mention')
      .select('anchor')
      .where('identity', '=', identity)
      .where('position', '<=', this.position)
      .execute();
    return rows.map(({ anchor }) => anchor);
  }

  async counts(identities: readonly number[]): Promise<ContactCount[]> {
    const found: ContactCount[] = [];
    for (const [customer, keys] of await this.customersOfNow(identities))
      found.push(
        ...(await this.db
          .selectFrom('timeline')
          .select(['timeline.channel', 'timeline.direction', ...sums()])
          .where('timeline.customer', '=', customer)
          .where('timeline.identity', 'in', keys)
          .where('timeline.kind', 'not in', AGENT_WORK_CODES)
          .where(this.stands('timeline'))
          .groupBy(['timeline.channel', 'timeline.direction'])
          .execute()),
      );
    for (const identity of await this.withPast(identities))
      found.push(
        ...(await this.db
          .selectFrom('entry_past')
          .select(['entry_past.channel', 'entry_past.direction', ...sums()])
          .where('entry_past.identity', '=', identity)
          .where('entry_past.kind', 'not in', AGENT_WORK_CODES)
          .where(this.stood())
          .groupBy(['entry_past.channel', 'entry_past.direction'])
          .execute()),
      );
    return found;
  }

  /** Commitments of these identities that were open, in slices of those due first. */
  commitments(identities: readonly number[]): Promise<CommitmentRow[][]> {
    return inSlices(identities, async (keys) => [
      await commitmentRows(this.db)
        .where((e) => {
          const thenOf = e.selectFrom('entry_past').where(this.stood());
          const thenTheirs = thenOf.select('entry_past.position').where('entry_past.identity', 'in', keys);
          const whoseThen = thenOf
            .select('entry_past.identity')
            .whereRef('entry_past.position', '=', 'commitment.position');
          return e.and([
            // What may be theirs, by an index each; then whose it was.
            e.or([e('commitment.identity', 'in', keys), e('commitment.position', 'in', thenTheirs)]),
            e(e.fn.coalesce(whoseThen, 'commitment.identity'), 'in', keys),
          ]);
        })
        .where('commitment.position', '<=', this.position)
        .where((e) =>
          e.or([e('commitment.endedPosition', 'is', null), e('commitment.endedPosition', '>', this.position)]),
        )
        .execute(),
    ]);
  }

  /** Key of the identity that an entry belonged to. */
  async holderOf(position: number): Promise<number | undefined> {
    const row = await this.db
      .selectFrom('entry')
      .leftJoin('entry_past', (join) => join.onRef('entry_past.position', '=', 'entry.position').on(this.stood()))
      .select(({ fn }) => fn.coalesce('entry_past.identity', 'entry.identity').as('identity'))
      .where('entry.position', '=', position)
      .executeTakeFirst();
    return row?.identity;
  }

  /** Rows of a page of these identities' contacts, in its direction, one more than its limit. */
  async timeline(identities: readonly number[], question: PageQuestion): Promise<EntryRow[]> {
    const direction = question.after === undefined ? 'desc' : 'asc';
    const pages: { text: string }[][] = [];
    for (const [customer, keys] of await this.customersOfNow(identities))
      pages.push(
        await this.db
          .selectFrom('timeline')
          .innerJoin('entry', 'entry.position', 'timeline.position')
          .innerJoin('conversation', 'conversation.key', 'entry.conversation')
          .select(entryText(this.db))
          .where('timeline.customer', '=', customer)
          .where('timeline.identity', 'in', keys)
          .where(conditionsOf('timeline', question))
          .where(this.stands('timeline'))
          .orderBy('timeline.occurredAt', direction)
          .orderBy('timeline.position', direction)
          .limit(question.limit + 1)
          .execute(),
      );
    for (const identity of await this.withPast(identities))
      pages.push(
        await this.db
          .selectFrom('entry_past')
          .innerJoin('entry', 'entry.position', 'entry_past.position')
          .innerJoin('conversation', 'conversation.key', 'entry_past.conversation')
          .select(pastEntryText(this.db))
          .where('entry_past.identity', '=', identity)
          .where(conditionsOf('entry_past', question))
          .where(this.stood())
          .orderBy('entry_past.occurredAt', direction)
          .orderBy('entry_past.position', direction)
          .limit(question.limit + 1)
          .execute(),
      );
    return merged(pages, question);
  }

  /**
   * Rows of a page of a conversation's contacts, and the identities that took part by then, at most so many; undefined
   * for a conversation that nobody had begun.
   */
  async conversation(
    conversation: number,
    question: PageQuestion,
  ): Promise<{ rows: EntryRow[]; identities: number[] } | undefined> {
    const direction = question.after === undefined ? 'desc' : 'asc';
    const standing = this.db
      .selectFrom('entry')
      .where('entry.conversation', '=', conversation)
      .where(this.stands('entry'));
    const former = this.db
      .selectFrom('entry_past')
      .where('entry_past.conversation', '=', conversation)
      .where(this.stood());
    const identities = await standing.select('entry.identity').union(former.select('entry_past.identity')).execute();
    // One whose contacts had all been corrected into others stays, empty.
    if (identities.length === 0) {
      const begun = await this.db
        .selectFrom('entry_past')
        .select('position')
        .where('conversation', '=', conversation)
        .where('since', '<=', this.position)
        .limit(1)
        .executeTakeFirst();
      return begun && { rows: [], identities: [] };
    }
    const pages = [
      await standing
        .innerJoin('conversation', 'conversation.key', 'entry.conversation')
        .select(entryText(this.db))
        .where(conditionsOf('entry', question))
        .orderBy('entry.occurredAt', direction)
        .orderBy('entry.position', direction)
        .limit(question.limit + 1)
        .execute(),
      await former
        .innerJoin('entry', 'entry.position', 'entry_past.position')
        .innerJoin('conversation', 'conversation.key', 'entry_past.conversation')
        .select(pastEntryText(this.db))
        .where(conditionsOf('entry_past', question))
        .orderBy('entry_past.occurredAt', direction)
        .orderBy('entry_past.position', direction)
        .limit(question.limit + 1)
        .execute(),
    ];
    return { rows: merged(pages, question), identities: identities.map(({ identity }) => identity) };
  }

  /** In whose timelines of now the contacts of these identities are. */
  private async customersOfNow(identities: readonly number[]): Promise<Map<number, number[]>> {
    const rows = await inSlices(identities, (keys) =>
      this.db.selectFrom('identity').select(['key', 'customer']).where('key', 'in', keys).execute(),
    );
    const found = new Map<number, number[]>();
    for (const { key, customer } of rows) found.set(customer, [...(found.get(customer) ?? []), key]);
    return found;
  }

  /** Those of these identities that a corrected contact once belonged to: few, so each is asked by itself. */
  private async withPast(identities: readonly number[]): Promise<number[]> {
    const rows = await inSlices(identities, (keys) =>
      this.db
        .selectFrom('identity')
        .select('key')
        .where('key', 'in', keys)
        .where((e) =>
          e.exists(e.selectFrom('entry_past').select('position').whereRef('entry_past.identity', '=', 'identity.key')),
        )
        .execute(),
    );
    return rows.map(({ key }) => key);
  }

  /** That the content of now was recorded by then. */
  private stands(table: 'timeline' | 'entry'): Expression<SqlBool> {
    const { sql } = kysely();
    const position = sql.ref(`${table}.position`);
    return sql<SqlBool>`(${position} <= ${this.position} and not exists (
      select 1 from entry_past as later where later.position = ${position} and later.until > ${this.position}))`;
  }

  /** That a former content is what was shown then. */
  private stood(): Expression<SqlBool> {
    return kysely().sql<SqlBool>`(entry_past.since <= ${this.position} and entry_past.until > ${this.position})`;
  }
}

const merged = (pages: readonly { text: string }[][], { after, limit }: PageQuestion): EntryRow[] => {
  const newest = after === undefined ? 1 : -1;
  return pages
    .flat()
    .map(({ text }) => readEntry(text))
    .toSorted((a, b) => newest * (b.occurredAt - a.occurredAt || b.position - a.position))
    .slice(0, limit + 1);
};

const inSlices = async <Row>(
  keys: readonly number[],
  read: (slice: readonly number[]) => Promise<Row[]>,
): Promise<Row[]> => {
  const found: Row[] = [];
  for (let i = 0; i < keys.length; i += KEYS_A_STATEMENT)
    found.push(...(await read(keys.slice(i, i + KEYS_A_STATEMENT))));
  return found;
};
