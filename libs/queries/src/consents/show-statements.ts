import { effectiveConsents, effectivePreferences } from '#libs/domain';
import { toInstant, type Uuid } from '#libs/kernel';
import type { ConsentTable, PreferenceTable } from '#libs/projections';
import type { ConsentDto, PreferenceDto } from './consents.dto.js';

/** Turns keys of identities into their ids. */
export type IdOf = (identity: number) => Uuid;

/** One statement as the API shows it. */
export const showConsent = (row: ConsentTable, idOf: IdOf): ConsentDto => ({
  purpose: row.purpose,
  ...(row.channel !== '' && { channel: row.channel }),
  granted: row.granted === 1,
  statedAt: toInstant(row.at),
  ...(row.until !== null && { until: toInstant(row.until) }),
  source: row.by === null ? 'profile' : 'stated',
  identity: idOf(row.identity),
  ...(row.by !== null && { by: row.by }),
  ...(row.evidence !== null && { evidence: row.evidence }),
});

/** One wish as the API shows it, all but its channel, which a wish taken back has none of. */
export const showPreference = (row: PreferenceTable, idOf: IdOf): Omit<PreferenceDto, 'channel'> => ({
  ...(row.purpose !== '' && { purpose: row.purpose }),
  statedAt: toInstant(row.at),
  ...(row.until !== null && { until: toInstant(row.until) }),
  identity: idOf(row.identity),
  by: row.by,
  ...(row.evidence !== null && { evidence: row.evidence }),
});

/** The consents that hold at an instant, out of all statements of a customer. */
export const consentsAt = (rows: readonly ConsentTable[], atMs: number, idOf: IdOf): ConsentDto[] =>
  effectiveConsents(
    rows.map((row) => ({
      row,
      // A record is heard beside what people said themselves: importing it again must not take back what they said since.
      speaker: row.by === null ? `record ${row.identity}` : row.identity,
      purpose: row.purpose,
      channel: row.channel || undefined,
      granted: row.granted === 1,
      untilMs: row.until ?? undefined,
      position: row.position,
    })),
    atMs,
  ).map(({ row }) => showConsent(row, idOf));

/** The wishes that hold at an instant, the general one first. */
export const preferencesAt = (rows: readonly PreferenceTable[], atMs: number, idOf: IdOf): PreferenceDto[] =>
  effectivePreferences(
    rows.map((row) => ({
      row,
      purpose: row.purpose || undefined,
      channel: row.channel ?? undefined,
      untilMs: row.until ?? undefined,
      position: row.position,
    })),
    atMs,
  ).map(({ row, channel }) => ({ channel, ...showPreference(row, idOf) }));
