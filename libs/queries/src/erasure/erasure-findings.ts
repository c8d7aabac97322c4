import { Injectable } from '@nestjs/common';
import type { Kysely, SqlBool } from 'kysely';
import { EventStore } from '#libs/event-store';
import { HubError, bytesOfUuid, isUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { AGENT_WORK_CODES, ProjectionProgress, ReadModel, type ReadModelSchema } from '#libs/projections';
import { kysely } from '#libs/projections/read-model/kysely.js';
import { Freshness } from '../shared/freshness.js';
import { Labels } from '../shared/labels.js';

/** Tables with rows of an identity, by the column that names it. */
const OWN_ROWS = {
  entry: 'identity',
  timeline: 'identity',
  entry_past: 'identity',
  profile: 'identity',
  profile_past: 'identity',
  identity_past: 'identity',
  commitment: 'identity',
  consent: 'identity',
  preference: 'identity',
  mention: 'anchor',
} as const;

/** What is stored of a customer, for whoever erases it. */
@Injectable()
export class ErasureFindings {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
    private readonly store: EventStore,
    private readonly freshness: Freshness,
    private readonly progress: ProjectionProgress,
  ) {}

  /**
   * Everything of a customer, once the whole log is shown; the erasure of one that is erased already.
   * @throws HubError `CUSTOMER.NOT_FOUND`; `READ_MODEL.BEHIND`, retryable
   */
  async find(tenant: string, id: string) {
    await this.freshness.reached(tenant, await this.store.head());
    const tenantKey = await this.labels.tenant(tenant);
    return this.readModel.snapshot(async (db) => {
      const known = isUuid(id)
        ? await db
            .selectFrom('identity')
            .select(['tenant', 'customer', 'erasure'])
            .where('id', '=', bytesOfUuid(id))
            .executeTakeFirst()
        : undefined;
      if (!known || known.tenant !== tenantKey) throw new HubError('CUSTOMER.NOT_FOUND', 'no customer has this id');
      if (known.erasure) return { erasure: uuidOfBytes(known.erasure) };
      const members = await db
        .selectFrom('identity')
        .select(['key', 'id', 'type'])
        .where('key', 'in', gone(known.customer))
        .orderBy('key')
        .execute();
      const named = await namedByNobodyElse(db, known.customer);
      const { sql } = kysely();
      const rows: { table: string; rows: number }[] = [];
      for (const [table, column] of Object.entries(OWN_ROWS)) {
        const counted = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}
          where ${sql.ref(column)} in ${gone(known.customer)}`.execute(db);
        rows.push({ table, rows: Number(counted.rows[0]!.count) });
      }
      const links = await db
        .selectFrom('link')
        .select('id')
        .where((e) => e.or([e('a', 'in', gone(known.customer)), e('b', 'in', gone(known.customer))]))
        .orderBy('key')
        .execute();
      const conversations = await db
        .selectFrom('entry')
        .innerJoin('conversation', 'conversation.key', 'entry.conversation')
        .select('conversation.id')
        .distinct()
        .where('entry.identity', 'in', gone(known.customer))
        .where((e) =>
          e.not(
            e.exists(
              e
                .selectFrom('entry as other')
                .select('other.position')
                .whereRef('other.conversation', '=', 'entry.conversation')
                .where('other.identity', 'not in', gone(known.customer)),
            ),
          ),
        )
        .orderBy('conversation.id')
        .execute();
      const { contacts } = await db
        .selectFrom('entry')
        .select(({ fn }) => fn.countAll<number>().as('contacts'))
        .where('entry.identity', 'in', gone(known.customer))
        .where('entry.kind', 'not in', AGENT_WORK_CODES)
        .executeTakeFirstOrThrow();
      // Every row of these tables stands for one sealed event of the log: a contact or what replaced it, and so on.
      const sealed = new Set(['entry', 'entry_past', 'profile', 'profile_past']);
      return {
        identities: [...members, ...named].map((member) => ({ identity: uuidOfBytes(member.id), type: member.type })),
        links: links.map((link) => uuidOfBytes(link.id)),
        conversations: conversations.map((conversation) => uuidOfBytes(conversation.id)),
        contacts: Number(contacts),
        events: rows.filter(({ table }) => sealed.has(table)).reduce((sum, { rows: count }) => sum + count, 0),
        rows: rows.filter(({ rows: count }) => count > 0),
      };
    });
  }

  /** Identifiers of these identities; of erased ones nothing is known. */
  async identifiersOf(identities: readonly Uuid[]): Promise<{ type: string; value: string }[]> {
    const found: { type: string; value: string }[] = [];
    for (const identity of identities) {
      const row = await this.readModel.db
        .selectFrom('identity')
        .select(['type', 'value'])
        .where('id', '=', bytesOfUuid(identity))
        .where('type', 'not in', ['conversation', 'profile'])
        .executeTakeFirst();
      if (row && row.value !== '') found.push(row);
    }
    return found;
  }

  shows(position: number, timeoutMs: number): Promise<boolean> {
    return this.progress.reached(position, timeoutMs);
  }
}

/**
 * Keys of what is erased with a customer: its identities, and where one of them changed hands all times of it, since one key
 * has sealed what came from it alone. A time of which nothing is shown goes by itself.
 */
const gone = (customer: number) => {
  const { sql } = kysely();
  const shown = sql`select era.whole from identity as era where era.customer = ${customer} and exists (
    select 1 from timeline where timeline.customer = era.customer and timeline.identity = era.key)`;
  return sql<number>`(select identity.key from identity where identity.customer = ${customer}
    union select identity.key from identity where identity.erased is null and (identity.key in (${shown})
      or identity.whole in (${shown})
      or identity.whole in (select whole.key from identity as whole where whole.customer = ${customer})))`;
};

/** Identities that contacts and records of this customer alone have named: nobody else has said who they are. */
const namedByNobodyElse = (db: Kysely<ReadModelSchema>, customer: number) => {
  const { sql } = kysely();
  const own = gone(customer);
  return db
    .selectFrom('identity')
    .select(['key', 'id', 'type'])
    .where('key', 'not in', own)
    .where('erased', 'is', null)
    .where(
      sql<SqlBool>`key in (select identity from mention where anchor in ${own})
        and not exists (select 1 from mention where mention.identity = identity.key and anchor not in ${own})
        and not exists (
          select 1 from timeline where timeline.customer = identity.customer and timeline.identity = identity.key)
        and not exists (select 1 from profile where profile.identity = identity.key)`,
    )
    .orderBy('key')
    .execute();
};
