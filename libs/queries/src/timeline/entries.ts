import { Injectable } from '@nestjs/common';
import { DIRECTION_CODES, KIND_CODES, ReadModel } from '#libs/projections';
import { toInstant, uuidOfBytes } from '#libs/kernel';
import { Labels } from '../shared/labels.js';
import type { TimelineEntryDto } from './timeline.dto.js';

export interface EntryRow {
  position: number;
  id: Buffer;
  conversationId: Buffer;
  channel: number;
  account: number;
  kind: number;
  direction: number;
  occurredAt: number;
  recordedAt: number;
  late: number;
  revision: number;
  subject: string | null;
  preview: string | null;
  agent: string | null;
  outcome: string | null;
}

/** Columns that make a `TimelineEntryDto`, from `entry` joined with `conversation`. */
export const ENTRY_COLUMNS = [
  'entry.position',
  'entry.id',
  'conversation.id as conversationId',
  'entry.channel',
  'entry.account',
  'entry.kind',
  'entry.direction',
  'entry.occurredAt',
  'entry.recordedAt',
  'entry.late',
  'entry.revision',
  'entry.subject',
  'entry.preview',
  'entry.agent',
  'entry.outcome',
] as const;

/** Turns rows into what the API shows. */
@Injectable()
export class Entries {
  constructor(
    readonly readModel: ReadModel,
    private readonly labels: Labels,
  ) {}

  async show(rows: readonly EntryRow[]): Promise<TimelineEntryDto[]> {
    const label = await this.labels.load(new Set(rows.flatMap((row) => [row.channel, row.account])));
    return rows.map((row) => ({
      id: uuidOfBytes(row.id),
      conversation: uuidOfBytes(row.conversationId),
      channel: label(row.channel),
      account: label(row.account),
      kind: KIND_CODES[row.kind]!,
      direction: DIRECTION_CODES[row.direction]!,
      occurredAt: toInstant(row.occurredAt),
      recordedAt: toInstant(row.recordedAt),
      position: row.position,
      late: row.late === 1,
      corrected: row.revision > 1,
      ...(row.subject === null ? {} : { subject: row.subject }),
      ...(row.preview === null ? {} : { preview: row.preview }),
      ...(row.agent === null ? {} : { agent: row.agent }),
      ...(row.outcome === null ? {} : { outcome: row.outcome }),
    }));
  }
}
