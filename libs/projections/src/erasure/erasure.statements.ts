import type { Kysely } from 'kysely';
import { kysely } from '../read-model/kysely.js';
import { AGENT_WORK_CODES } from '../timeline/codes.js';
import type { LinkStatus, ReadModelSchema } from '../read-model/read-model.schema.js';
import { statement } from '../read-model/statement.js';

interface Place {
  customer: number;
  identity: number;
}

/** What takes a person out of the rows. */
export const erasureStatements = (db: Kysely<ReadModelSchema>, { sql } = kysely()) => {
  const entriesOf = (s: Place) =>
    db
      .selectFrom('timeline')
      .select('position')
      .where('customer', '=', s.customer)
      .where('timeline.identity', '=', s.identity);
  const blank = {
    subject: sql<null>`null`,
    preview: sql<null>`null`,
    agent: sql<null>`null`,
    outcome: sql<null>`null`,
  };
  return {
    countContacts: statement<Place>((s) =>
      db
        .insertInto('erased_contact')
        .columns(['position', 'tenant', 'channel', 'account'])
        .expression((e) =>
          e
            .selectFrom('entry')
            .innerJoin('identity', 'identity.key', 'entry.identity')
            .select(['entry.position', 'identity.tenant', 'entry.channel', 'entry.account'])
            .where('entry.position', 'in', entriesOf(s))
            .where(
              'entry.kind',
              'not in',
              AGENT_WORK_CODES.map((code) => sql.lit(code)),
            ),
        ),
    ),
    forgetFormer: statement<Place>((s) => db.deleteFrom('entry_past').where('position', 'in', entriesOf(s))),
    forgetEntries: statement<Place>((s) => db.deleteFrom('entry').where('position', 'in', entriesOf(s))),
    forgetTimeline: statement<Place>((s) =>
      db.deleteFrom('timeline').where('customer', '=', s.customer).where('identity', '=', s.identity),
    ),
    /** What others' contacts said while they were this one's, at any of its times: that there was something stays. */
    blankFormer: statement<{ identity: number }>((s) =>
      db
        .updateTable('entry_past')
        .set(blank)
        .where('identity', 'in', (e) =>
          e
            .selectFrom('identity')
            .select('key')
            .where((of) => of.or([of('key', '=', s.identity), of('whole', '=', s.identity)])),
        ),
    ),
    forgetMentions: statement<{ identity: number }>((s) =>
      db.deleteFrom('mention').where((e) => e.or([e('identity', '=', s.identity), e('anchor', '=', s.identity)])),
    ),
    forgetCommitments: statement<{ identity: number }>((s) =>
      db.deleteFrom('commitment').where('identity', '=', s.identity),
    ),
    forgetConsents: statement<{ identity: number }>((s) => db.deleteFrom('consent').where('identity', '=', s.identity)),
    forgetPreferences: statement<{ identity: number }>((s) =>
      db.deleteFrom('preference').where('identity', '=', s.identity),
    ),
    forgetProfile: statement<{ identity: number }>((s) => db.deleteFrom('profile').where('identity', '=', s.identity)),
    forgetFormerProfiles: statement<{ identity: number }>((s) =>
      db.deleteFrom('profile_past').where('identity', '=', s.identity),
    ),
    forgetFormerSelf: statement<{ identity: number }>((s) =>
      db.deleteFrom('identity_past').where('identity', '=', s.identity),
    ),
    eraseIdentity: statement<{ identity: number; position: number; erasure: Buffer }>((s) =>
      db
        .updateTable('identity')
        .set({
          value: sql<string>`''`,
          verified: sql<number>`0`,
          name: sql<null>`null`,
          nameAt: sql<null>`null`,
          erased: s.position,
          erasure: s.erasure,
        })
        .where('key', '=', s.identity),
    ),
    linksOf: statement<{ identity: number }, { key: number; status: LinkStatus; a: number; b: number }>((s) =>
      db
        .selectFrom('link')
        .select(['key', 'status', 'a', 'b'])
        .where((e) => e.or([e('a', '=', s.identity), e('b', '=', s.identity)]))
        .orderBy('key'),
    ),
    eraseLink: statement<{ key: number; position: number }>((s) =>
      db
        .updateTable('link')
        .set({
          status: sql<LinkStatus>`'erased'`,
          evidence: sql<string>`''`,
          confidence: sql<number>`0`,
          rule: sql<null>`null`,
          agent: sql<null>`null`,
          reason: sql<null>`null`,
          lastPosition: s.position,
        })
        .where('key', '=', s.key),
    ),
    forgetFormerLink: statement<{ key: number }>((s) => db.deleteFrom('link_past').where('link', '=', s.key)),
  };
};
