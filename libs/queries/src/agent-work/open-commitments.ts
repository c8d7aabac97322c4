import type { Kysely } from 'kysely';
import { toInstant, uuidOfBytes } from '#libs/kernel';
import type { CommitmentTable, ReadModelSchema } from '#libs/projections';
import { kysely } from '#libs/projections/read-model/kysely.js';
import type { CommitmentDto } from './commitment.dto.js';

/** A header shows so many; how many there are, it says beside them. */
export const MOST_SHOWN = 20;

/** A commitment with its conversation's id, and how many the question found. */
export type CommitmentRow = Pick<CommitmentTable, 'position' | 'id' | 'text' | 'dueAt' | 'madeAt' | 'agent'> & {
  conversationId: Buffer;
  total: number;
};

/** Commitments with those due first in front, as many as are shown; narrow it to those of somebody, and open. */
export const commitmentRows = (db: Kysely<ReadModelSchema>) =>
  db
    .selectFrom('commitment')
    .innerJoin('conversation', 'conversation.key', 'commitment.conversation')
    .innerJoin('identity', 'identity.key', 'commitment.identity')
    .select([
      'commitment.position', 'commitment.id', 'commitment.text', 'commitment.dueAt', 'commitment.madeAt',
      'commitment.agent', 'conversation.id as conversationId', kysely().sql<number>`count(*) over ()`.as('total'),
    ])
    .orderBy('commitment.dueAt', (due) => due.asc().nullsLast())
    .orderBy('commitment.position')
    .limit(MOST_SHOWN); // prettier-ignore

/** One answer from several questions that found different commitments. */
export const showCommitments = (
  found: readonly (readonly CommitmentRow[])[],
): { openCommitments: number; commitments: CommitmentDto[] } => ({
  openCommitments: found.reduce((sum, rows) => sum + Number(rows[0]?.total ?? 0), 0),
  commitments: found
    .flat()
    .toSorted((a, b) => dueBefore(a, b) || a.position - b.position)
    .slice(0, MOST_SHOWN)
    .map(({ id, conversationId, text, dueAt, madeAt, agent }) => ({
      id: uuidOfBytes(id),
      conversation: uuidOfBytes(conversationId),
      text,
      ...(dueAt === null ? {} : { dueAt: toInstant(dueAt) }),
      madeAt: toInstant(madeAt),
      agent,
    })),
});

const dueBefore = ({ dueAt: a }: CommitmentRow, { dueAt: b }: CommitmentRow): number =>
  a === b ? 0 : (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY);
