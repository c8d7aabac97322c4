import type { Kysely } from 'kysely';
import { toInstant, uuidOfBytes } from '#libs/kernel';
import type { AccessTable, ReadModelSchema } from '#libs/projections';
import type { AccessLogEntryDto } from './access-log-entry.dto.js';

/** Looks and reveals with the identity by which the customer was opened, newest first; narrow it, bound it. */
export const accessEntries = (db: Kysely<ReadModelSchema>) =>
  db
    .selectFrom('access')
    .innerJoin('identity', 'identity.key', 'access.identity')
    .select(['position', 'identity.id', 'by', 'at', 'saw', 'reads', 'field', 'revealed', 'reason'])
    .orderBy('position', 'desc');

/** One of them as the API shows it. */
export const showAccess = (row: Omit<AccessTable, 'identity'> & { id: Buffer }): AccessLogEntryDto => ({
  what: row.field === null ? 'viewed' : 'revealed',
  by: row.by,
  at: toInstant(row.at),
  ...(row.saw === null ? {} : { saw: row.saw.split(' '), reads: row.reads }),
  ...(row.field === null ? {} : { field: row.field }),
  ...(row.revealed === null ? {} : { identity: uuidOfBytes(row.revealed) }),
  ...(row.reason === null ? {} : { reason: row.reason }),
  customer: uuidOfBytes(row.id),
  position: row.position,
});
