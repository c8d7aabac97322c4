import type { Kysely } from 'kysely';
import { kysely } from '../read-model/kysely.js';
import type { ReadModelSchema } from '../read-model/read-model.schema.js';
import { statement } from '../read-model/statement.js';
import { AGENT_WORK_CODES } from '../timeline/codes.js';

/** An identity that was divided, or one of its eras. */
export interface EraRow {
  id: Buffer;
  key: number;
  customer: number;
  erased: number | null;
  name: string | null;
  nameAt: number | null;
  heldFrom: number | null;
  heldUntil: number | null;
}

/** An entry of one of them. */
export interface EraEntry {
  position: number;
  occurredAt: number;
  /** The instant that says whose it is: what agents wrote goes with the contact before it in its conversation. */
  at: number;
}

/** What divides the contacts of an identity among those who had it. */
export const erasStatements = (db: Kysely<ReadModelSchema>, { sql } = kysely()) => {
  const written = AGENT_WORK_CODES.map((code) => sql.lit(code));
  const entries = (whole: number) =>
    db
      .selectFrom('entry')
      .select((entry) => [
        'entry.position',
        'entry.occurredAt',
        entry
          .case()
          .when('entry.kind', 'in', written)
          .then(
            entry.fn.coalesce(
              entry
                .selectFrom('entry as contact')
                .select(({ fn }) => fn.max('contact.occurredAt').as('at'))
                .whereRef('contact.conversation', '=', 'entry.conversation')
                .whereRef('contact.occurredAt', '<=', 'entry.occurredAt')
                .where('contact.kind', 'not in', written)
                .where('contact.identity', 'in', (e) =>
                  e
                    .selectFrom('identity')
                    .select('key')
                    .where((of) => of.or([of('key', '=', whole), of('whole', '=', whole)])),
                ),
              'entry.occurredAt',
            ),
          )
          .else(entry.ref('entry.occurredAt'))
          .end()
          .$castTo<number>()
          .as('at'),
      ])
      .orderBy('entry.position');
  return {
    add: statement<{ key: number; id: Buffer; whole: number; position: number }>((s) =>
      db
        .insertInto('identity')
        .columns(['key', 'id', 'tenant', 'type', 'value', 'verified', 'firstPosition', 'customer', 'whole'])
        .expression((e) =>
          e
            .selectFrom('identity')
            .select([
              sql<number>`${s.key}`.as('key'),
              sql<Buffer>`${s.id}`.as('id'),
              'tenant',
              'type',
              'value',
              sql<number>`0`.as('verified'),
              sql<number>`${s.position}`.as('firstPosition'),
              sql<number>`${s.key}`.as('customer'),
              'key as whole',
            ])
            .where('key', '=', s.whole),
        ),
    ),
    of: statement<{ whole: number }, { id: Buffer; heldUntil: number | null }>((s) =>
      db.selectFrom('identity').select(['id', 'heldUntil']).where('whole', '=', s.whole).orderBy('heldUntil'),
    ),
    family: statement<{ whole: number }, EraRow>((s) =>
      db
        .selectFrom('identity')
        .select(['id', 'key', 'customer', 'erased', 'name', 'nameAt', 'heldFrom', 'heldUntil'])
        .where((e) => e.or([e('key', '=', s.whole), e('whole', '=', s.whole)]))
        .orderBy('key'),
    ),
    hold: statement<{ key: number; heldFrom: number | null; heldUntil: number | null }>((s) =>
      db.updateTable('identity').set({ heldFrom: s.heldFrom, heldUntil: s.heldUntil }).where('key', '=', s.key),
    ),
    entries: statement<{ whole: number; customer: number; identity: number }, EraEntry>((s) =>
      entries(s.whole).where('entry.position', 'in', (e) =>
        e
          .selectFrom('timeline')
          .select('position')
          .where('customer', '=', s.customer)
          .where('timeline.identity', '=', s.identity),
      ),
    ),
    /** While the timeline is not filled; by the indexes below. */
    bulkEntries: statement<{ whole: number; identity: number }, EraEntry>((s) =>
      entries(s.whole).where('entry.identity', '=', s.identity),
    ),
    indexIdentities: statement<object>(() =>
      db.schema.createIndex('entry_identity').ifNotExists().on('entry').column('identity'),
    ),
    indexConversations: statement<object>(() =>
      db.schema.createIndex('entry_conversation').ifNotExists().on('entry').column('conversation'),
    ),
    moveEntry: statement<{ position: number; to: number }>((s) =>
      db.updateTable('entry').set({ identity: s.to }).where('position', '=', s.position),
    ),
    moveTimeline: statement<{ customer: number; occurredAt: number; position: number; to: number; toCustomer: number }>(
      (s) =>
        db
          .updateTable('timeline')
          .set({ customer: s.toCustomer, identity: s.to })
          .where('customer', '=', s.customer)
          .where('occurredAt', '=', s.occurredAt)
          .where('position', '=', s.position),
    ),
    moveCommitment: statement<{ position: number; to: number }>((s) =>
      db.updateTable('commitment').set({ identity: s.to }).where('position', '=', s.position),
    ),
    forget: statement<{ whole: number }>((s) =>
      db
        .updateTable('identity')
        .set({ value: sql<string>`''`, name: sql<null>`null`, nameAt: sql<null>`null` })
        .where('whole', '=', s.whole)
        .where('erased', 'is', sql.lit(null)),
    ),
    forgetFormer: statement<{ whole: number }>((s) =>
      db
        .deleteFrom('identity_past')
        .where('identity', 'in', (e) => e.selectFrom('identity').select('key').where('whole', '=', s.whole)),
    ),
  };
};
