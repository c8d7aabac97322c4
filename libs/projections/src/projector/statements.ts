import type { Kysely } from 'kysely';
import type {
  AccessTable,
  CommitmentStatus,
  CommitmentTable,
  ConsentTable,
  ConversationTable,
  EntryTable,
  LinkStatus,
  LinkTable,
  MentionTable,
  PreferenceTable,
  ProfileTable,
  ReadModelSchema,
  TimelineTable,
} from '../read-model/read-model.schema.js';
import { erasStatements } from '../eras/eras.statements.js';
import { erasureStatements } from '../erasure/erasure.statements.js';
import { kysely } from '../read-model/kysely.js';
import { bulkInsert, gathered, statement } from '../read-model/statement.js';

export interface IdentityRow {
  key: number;
  customer: number;
  firstPosition: number;
  verified: number;
  nameAt: number | null;
  /** Where it was erased. */
  erased: number | null;
  /** 0 while no event has said its value, and once it is erased. */
  told: number;
  /** Key of the identity that it is a former era of. */
  whole: number | null;
  heldFrom: number | null;
}

export type NewConversation = { key: number } & Omit<ConversationTable, 'key'>;

const ENTRY_COLUMNS = [
  'position', 'id', 'identity', 'conversation', 'channel', 'account', 'kind', 'direction', 'occurredAt', 'recordedAt',
  'late', 'revision', 'subject', 'preview', 'agent', 'outcome',
] as const satisfies (keyof EntryTable)[]; // prettier-ignore

/** Where and under what id a contact was first recorded stays through corrections. */
const CORRECTED_COLUMNS = [
  'identity', 'conversation', 'channel', 'account', 'kind', 'direction', 'occurredAt', 'late', 'revision', 'subject',
  'preview', 'agent', 'outcome',
] as const satisfies (keyof EntryTable)[]; // prettier-ignore

const TIMELINE_COLUMNS = [
  'customer', 'occurredAt', 'position', 'identity', 'channel', 'kind', 'direction',
] as const satisfies (keyof TimelineTable)[]; // prettier-ignore

const ACCESS_COLUMNS = [
  'position', 'identity', 'by', 'at', 'saw', 'reads', 'field', 'revealed', 'reason',
] as const satisfies (keyof AccessTable)[]; // prettier-ignore

const COMMITMENT_COLUMNS = [
  'position', 'id', 'identity', 'conversation', 'text', 'dueAt', 'madeAt', 'agent', 'status', 'endedPosition',
] as const satisfies (keyof CommitmentTable)[]; // prettier-ignore
const CONSENT_COLUMNS = [
  'identity', 'position', 'purpose', 'channel', 'granted', 'at', 'until', 'evidence', 'by',
] as const satisfies (keyof ConsentTable)[]; // prettier-ignore

const PREFERENCE_COLUMNS = [
  'identity', 'position', 'purpose', 'channel', 'at', 'until', 'evidence', 'by',
] as const satisfies (keyof PreferenceTable)[]; // prettier-ignore

const LINK_COLUMNS = [
  'key', 'id', 'tenant', 'a', 'b', 'status', 'evidence', 'confidence', 'rule', 'agent', 'reason', 'firstPosition',
  'lastPosition',
] as const satisfies (keyof LinkTable)[]; // prettier-ignore

interface NewIdentity {
  key: number;
  id: Buffer;
  tenant: number;
  type: string;
  value: string;
  verified: number;
  firstPosition: number;
  customer: number;
  name: string | null;
  nameAt: number | null;
}

export interface LinkRow {
  key: number;
  status: LinkStatus;
  a: number;
  b: number;
}

type NewLink = Omit<LinkWrite, 'position'> & { firstPosition: number; lastPosition: number };

export interface LinkWrite {
  key: number;
  id: Buffer;
  tenant: number;
  a: number;
  b: number;
  status: LinkStatus;
  evidence: string;
  confidence: number;
  rule: string | null;
  agent: string | null;
  reason: string | null;
  position: number;
}

const identityRow = () =>
  [
    'key',
    'customer',
    'firstPosition',
    'verified',
    'nameAt',
    'erased',
    'whole',
    'heldFrom',
    kysely().sql<number>`case when value <> '' then 1 else 0 end`.as('told'),
  ] as const;

/** Ids asked for in one question; the last one is repeated where there are fewer. */
export const IDS_A_QUESTION = 64;
export const LINKS_A_QUESTION = 5000;
type Many = Record<number, Buffer>;
const manyOf = (slots: Many): Buffer[] => Array.from({ length: IDS_A_QUESTION }, (_, n) => slots[n]!);

/** Every statement the folds run, compiled once for the dialect of `db`. */
export const foldStatements = (db: Kysely<ReadModelSchema>, { sql } = kysely()) => ({
  readCheckpoints: statement<object, { name: string; version: number; position: number }>(() =>
    db.selectFrom('checkpoint').selectAll(),
  ),
  startCheckpoint: statement<{ name: string; version: number; position: number }>((s) =>
    db
      .insertInto('checkpoint')
      .values({ name: s.name, version: s.version, position: s.position })
      // Another projector may begin at the same moment; the one that moves it first goes on.
      .onConflict((c) => c.doNothing()),
  ),
  moveCheckpoint: statement<{ name: string; version: number; previous: number; next: number }, { name: string }>((s) =>
    db
      .updateTable('checkpoint')
      .set({ position: s.next })
      .where('name', '=', s.name)
      .where('version', '=', s.version)
      .where('position', '=', s.previous)
      .returning('name'),
  ),

  highestKeys: statement<
    object,
    { tenant: number; label: number; identity: number; conversation: number; link: number }
  >(() =>
    db.selectNoFrom((e) => [
      e
        .selectFrom('tenant')
        .select(sql<number>`coalesce(max(key), 0)`.as('v'))
        .as('tenant'),
      e
        .selectFrom('label')
        .select(sql<number>`coalesce(max(key), 0)`.as('v'))
        .as('label'),
      e
        .selectFrom('identity')
        .select(sql<number>`coalesce(max(key), 0)`.as('v'))
        .as('identity'),
      e
        .selectFrom('conversation')
        .select(sql<number>`coalesce(max(key), 0)`.as('v'))
        .as('conversation'),
      e
        .selectFrom('link')
        .select(sql<number>`coalesce(max(key), 0)`.as('v'))
        .as('link'),
    ]),
  ),

  tenant: nameStatements(db, 'tenant'),
  label: nameStatements(db, 'label'),

  findIdentity: statement<{ id: Buffer }, IdentityRow>((s) =>
    db.selectFrom('identity').select(identityRow()).where('id', '=', s.id),
  ),
  findIdentities: statement<Many, IdentityRow & { id: Buffer }>((s) =>
    db.selectFrom('identity').select(identityRow()).select('id').where('id', 'in', manyOf(s)),
  ),
  addIdentity: gathered<NewIdentity>(db, 'identity', [
    'key', 'id', 'tenant', 'type', 'value', 'verified', 'firstPosition', 'customer', 'name', 'nameAt',
  ]), // prettier-ignore
  tellIdentity: statement<{ key: number; value: string }>((s) =>
    db.updateTable('identity').set({ value: s.value }).where('key', '=', s.key),
  ),
  tellEras: statement<{ key: number; value: string }>((s) =>
    db.updateTable('identity').set({ value: s.value }).where('whole', '=', s.key).where('erased', 'is', sql.lit(null)),
  ),
  verifyIdentity: statement<{ key: number; verified: number }>((s) =>
    db.updateTable('identity').set({ verified: s.verified }).where('key', '=', s.key),
  ),
  nameIdentity: {
    ...statement<{ key: number; name: string | null; nameAt: number | null }>((s) =>
      db.updateTable('identity').set({ name: s.name, nameAt: s.nameAt }).where('key', '=', s.key),
    ),
    late: true,
  },
  keepIdentity: statement<{ key: number; position: number }>((s) =>
    db
      .insertInto('identity_past')
      .columns(['identity', 'since', 'until', 'verified', 'name', 'nameAt', 'heldFrom', 'heldUntil'])
      .expression((e) =>
        e
          .selectFrom('identity')
          .select((row) => [
            'key',
            row.fn
              .coalesce(
                row.selectFrom('identity_past').select(row.fn.max('until').as('until')).where('identity', '=', s.key),
                'firstPosition',
              )
              .as('since'),
            sql<number>`${s.position}`.as('until'),
            'verified',
            'name',
            'nameAt',
            'heldFrom',
            'heldUntil',
          ])
          .where('key', '=', s.key),
      )
      // One event may teach two things: what stood before it is kept already.
      .onConflict((c) => c.doNothing()),
  ),
  addMention: gathered<MentionTable>(db, 'mention', ['identity', 'anchor', 'position'], { ignoreKnown: true }),
  keepProfile: statement<{ identity: number; position: number }>((s) =>
    db
      .insertInto('profile_past')
      .columns(['identity', 'since', 'until', 'data'])
      .expression((e) =>
        e
          .selectFrom('profile')
          .select(['identity', 'position', sql<number>`${s.position}`.as('until'), 'data'])
          .where('identity', '=', s.identity),
      ),
  ),
  putProfile: statement<ProfileTable>((s) =>
    db
      .insertInto('profile')
      .values({ identity: s.identity, position: s.position, data: s.data })
      .onConflict((c) =>
        c.column('identity').doUpdateSet({ position: sql.ref('excluded.position'), data: sql.ref('excluded.data') }),
      ),
  ),

  findConversation: statement<{ id: Buffer }, { key: number }>((s) =>
    db.selectFrom('conversation').select('key').where('id', '=', s.id),
  ),
  findConversations: statement<Many, { key: number; id: Buffer }>((s) =>
    db.selectFrom('conversation').select(['key', 'id']).where('id', 'in', manyOf(s)),
  ),
  addConversations: bulkInsert<NewConversation>(db, 'conversation', ['key', 'id', 'tenant']),

  addEntries: bulkInsert<EntryTable>(db, 'entry', ENTRY_COLUMNS),
  addTimelines: bulkInsert<TimelineTable>(db, 'timeline', TIMELINE_COLUMNS),
  keepEntry: statement<{ position: number; corrected: number }>((s) =>
    db
      .insertInto('entry_past')
      .columns(['position', 'since', 'until', ...CORRECTED_COLUMNS])
      .expression((e) =>
        e
          .selectFrom('entry')
          .select((row) => [
            'position',
            row.fn
              .coalesce(
                row.selectFrom('entry_past').select(row.fn.max('until').as('until')).where('position', '=', s.position),
                'position',
              )
              .as('since'),
            sql<number>`${s.corrected}`.as('until'),
            ...CORRECTED_COLUMNS,
          ])
          .where('position', '=', s.position),
      ),
  ),
  correctEntry: statement<EntryTable>((s) =>
    db
      .updateTable('entry')
      .set(Object.fromEntries(CORRECTED_COLUMNS.map((column) => [column, s[column]])))
      .where('position', '=', s.position),
  ),
  findEntryPlace: statement<{ position: number }, { occurredAt: number; customer: number }>((s) =>
    db
      .selectFrom('entry')
      .innerJoin('identity', 'identity.key', 'entry.identity')
      .select(['entry.occurredAt', 'identity.customer'])
      .where('entry.position', '=', s.position)
      .where('identity.erased', 'is', sql.lit(null)),
  ),
  removeTimeline: statement<{ customer: number; occurredAt: number; position: number }>((s) =>
    db
      .deleteFrom('timeline')
      .where('customer', '=', s.customer)
      .where('occurredAt', '=', s.occurredAt)
      .where('position', '=', s.position),
  ),

  setOutcome: statement<{ position: number; outcome: string }>((s) =>
    db.updateTable('entry').set({ outcome: s.outcome }).where('position', '=', s.position),
  ),
  addCommitments: bulkInsert<CommitmentTable>(db, 'commitment', COMMITMENT_COLUMNS),
  endCommitment: statement<{ position: number; status: CommitmentStatus; endedPosition: number }>((s) =>
    db
      .updateTable('commitment')
      .set({ status: s.status, endedPosition: s.endedPosition })
      .where('position', '=', s.position),
  ),
  erasure: erasureStatements(db),
  eras: erasStatements(db),

  addAccess: bulkInsert<AccessTable>(db, 'access', ACCESS_COLUMNS),

  addConsents: bulkInsert<ConsentTable>(db, 'consent', CONSENT_COLUMNS),
  addPreferences: bulkInsert<PreferenceTable>(db, 'preference', PREFERENCE_COLUMNS),

  findLink: statement<{ id: Buffer }, LinkRow>((s) =>
    db.selectFrom('link').select(['key', 'status', 'a', 'b']).where('id', '=', s.id),
  ),
  findLinks: statement<Many, LinkRow & { id: Buffer }>((s) =>
    db.selectFrom('link').select(['id', 'key', 'status', 'a', 'b']).where('id', 'in', manyOf(s)),
  ),
  addLink: gathered<NewLink>(db, 'link', LINK_COLUMNS),
  keepLink: statement<{ key: number; position: number }>((s) =>
    db
      .insertInto('link_past')
      .columns(['link', 'since', 'until', 'status', 'evidence', 'confidence', 'rule', 'agent', 'reason'])
      .expression((e) =>
        e
          .selectFrom('link')
          .select([
            'key',
            'lastPosition',
            sql<number>`${s.position}`.as('until'),
            'status',
            'evidence',
            'confidence',
            'rule',
            'agent',
            'reason',
          ])
          .where('key', '=', s.key),
      ),
  ),
  updateLink: statement<Omit<LinkWrite, 'id' | 'tenant' | 'a' | 'b'>>((s) =>
    db
      .updateTable('link')
      .set({
        status: s.status,
        evidence: s.evidence,
        confidence: s.confidence,
        rule: s.rule,
        agent: s.agent,
        reason: s.reason,
        lastPosition: s.position,
      })
      .where('key', '=', s.key),
  ),
  endLink: statement<{
    key: number;
    status: LinkStatus;
    agent: string | null;
    reason: string | null;
    position: number;
  }>((s) =>
    db
      .updateTable('link')
      .set({ status: s.status, agent: s.agent, reason: s.reason, lastPosition: s.position })
      .where('key', '=', s.key),
  ),
  linkedTo: statement<{ identity: number; active: LinkStatus }, { neighbour: number }>((s) =>
    db
      .selectFrom('link')
      .select('b as neighbour')
      .where('a', '=', s.identity)
      .where('status', '=', s.active)
      .unionAll(
        db.selectFrom('link').select('a as neighbour').where('b', '=', s.identity).where('status', '=', s.active),
      ),
  ),
  customerOf: statement<{ identity: number }, { customer: number }>((s) =>
    db.selectFrom('identity').select('customer').where('key', '=', s.identity),
  ),
  activeLinks: statement<{ after: number }, { key: number; a: number; b: number }>((s) =>
    db
      .selectFrom('link')
      .select(['key', 'a', 'b'])
      .where('status', '=', sql.lit('active'))
      .where('key', '>', s.after)
      .orderBy('key')
      .limit(sql.lit(LINKS_A_QUESTION)),
  ),
  partCustomers: statement<object>(() =>
    db
      .updateTable('identity')
      .set({ customer: sql.ref('key') })
      .whereRef('customer', '!=', 'key'),
  ),
  setCustomer: statement<{ identity: number; customer: number }>((s) =>
    db.updateTable('identity').set({ customer: s.customer }).where('key', '=', s.identity),
  ),
  membersOf: statement<{ customer: number }, { key: number }>((s) =>
    db.selectFrom('identity').select('key').where('customer', '=', s.customer),
  ),
  joinCustomer: statement<{ from: number; to: number }, { id: Buffer }>((s) =>
    db.updateTable('identity').set({ customer: s.to }).where('customer', '=', s.from).returning('id'),
  ),
  moveIdentity: statement<{ key: number; to: number }, { id: Buffer }>((s) =>
    db.updateTable('identity').set({ customer: s.to }).where('key', '=', s.key).returning('id'),
  ),
  joinTimeline: statement<{ from: number; to: number }>((s) =>
    db.updateTable('timeline').set({ customer: s.to }).where('customer', '=', s.from),
  ),
  moveTimeline: statement<{ from: number; to: number; identity: number }>((s) =>
    db
      .updateTable('timeline')
      .set({ customer: s.to })
      .where('customer', '=', s.from)
      .where('identity', '=', s.identity),
  ),
});

export type FoldStatements = ReturnType<typeof foldStatements>;

const nameStatements = (db: Kysely<ReadModelSchema>, table: 'tenant' | 'label') => ({
  find: statement<{ text: string }, { key: number }>((s) =>
    db.selectFrom(table).select('key').where('text', '=', s.text),
  ),
  add: statement<{ key: number; text: string }>((s) =>
    db
      .insertInto(table)
      .values({ key: s.key, text: s.text })
      .onConflict((c) => c.column('text').doNothing()),
  ),
});
