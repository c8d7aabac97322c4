import { Injectable } from '@nestjs/common';
import { DIRECTION_CODES, KIND_CODES, ReadModel } from '#libs/projections';
import { jsonList } from '#libs/projections/read-model/json-list.js';
import type { EntryTable } from '#libs/projections/read-model/read-model.schema.js';
import { toInstant, type Uuid } from '#libs/kernel';
import { Labels } from '../shared/labels.js';
import type { TimelineEntryDto } from './timeline.dto.js';

/** A contact as it is stored: names and codes as integers, instants as epoch milliseconds. */
export type EntryRow = Omit<EntryTable, 'id' | 'identity' | 'conversation'> & { id: Uuid; conversation: Uuid };

/**
 * An `EntryRow` from `entry` joined with `conversation`, as one JSON text for `readEntry`. A driver charges for every
 * value it hands over, and a page has 750 of them: written into one text by the engine they cost a third less.
 */
export const entryText = (db: ReadModel['db']) => textOf(db, 'entry');

/** The same with the content that a correction replaced: from `entry_past` joined with `entry` and its conversation. */
export const pastEntryText = (db: ReadModel['db']) => textOf(db, 'entry_past');

const textOf = (db: ReadModel['db'], content: 'entry' | 'entry_past') =>
  jsonList(db, [
    'entry.position', { bytes: 'entry.id' }, { bytes: 'conversation.id' }, `${content}.channel`, `${content}.account`,
    `${content}.kind`, `${content}.direction`, `${content}.occurredAt`, 'entry.recordedAt', `${content}.late`,
    `${content}.revision`, `${content}.subject`, `${content}.preview`, `${content}.agent`, `${content}.outcome`,
  ]).as('text'); // prettier-ignore

type Text = string | null;

/** The row that `entryText` wrote. */
export const readEntry = (text: string): EntryRow => {
  const [
    position, id, conversation, channel, account, kind, direction, occurredAt, recordedAt, late, revision, subject,
    preview, agent, outcome,
  ] = JSON.parse(text) as [
    number, string, string, number, number, number, number, number, number, number, number, Text, Text, Text, Text,
  ]; // prettier-ignore
  return {
    position,
    id: uuidOfHex(id),
    conversation: uuidOfHex(conversation),
    channel,
    account,
    kind,
    direction,
    occurredAt,
    recordedAt,
    late,
    revision,
    subject,
    preview,
    agent,
    outcome,
  };
};

const uuidOfHex = (hex: string): Uuid =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

/** Turns rows into what the API shows. */
@Injectable()
export class Entries {
  constructor(
    readonly readModel: ReadModel,
    private readonly labels: Labels,
  ) {}

  async show(rows: readonly EntryRow[]): Promise<TimelineEntryDto[]> {
    const keys = new Set<number>();
    for (const { channel, account } of rows) keys.add(channel).add(account);
    const label = await this.labels.load(keys);
    return rows.map((row) => {
      const entry: TimelineEntryDto = {
        id: row.id,
        conversation: row.conversation,
        channel: label(row.channel),
        account: label(row.account),
        kind: KIND_CODES[row.kind]!,
        direction: DIRECTION_CODES[row.direction]!,
        occurredAt: toInstant(row.occurredAt),
        recordedAt: toInstant(row.recordedAt),
        position: row.position,
        late: row.late === 1,
        corrected: row.revision > 1,
      };
      if (row.subject !== null) entry.subject = row.subject;
      if (row.preview !== null) entry.preview = row.preview;
      if (row.agent !== null) entry.agent = row.agent;
      if (row.outcome !== null) entry.outcome = row.outcome;
      return entry;
    });
  }
}
