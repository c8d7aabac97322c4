import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { DIRECTIONS, ENTRY_KINDS, type Attachment, type AttributeValue } from '#libs/kernel';
import { AS_OF_POSITION } from '../as-of/as-of.docs.js';

/** What was said, in full. */
export class BodyDto {
  @ApiPropertyOptional({ type: String })
  text?: string;
  @ApiPropertyOptional({ type: String, description: 'As the sender wrote it: sanitise before showing' })
  html?: string;
  @ApiPropertyOptional({ type: [Object] })
  attachments?: Attachment[];
  @ApiPropertyOptional({ type: Object })
  attributes?: Record<string, AttributeValue>;
  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'Of a commitment' })
  dueAt?: string;
  @ApiPropertyOptional({ type: String, description: 'Of a commitment: what was said when it was kept or withdrawn' })
  reason?: string;
}

/** One contact, or what an agent wrote down, as a timeline shows it. */
export class TimelineEntryDto {
  @ApiProperty({
    type: String,
    format: 'uuid',
    description: 'The interaction, also its receipt; or the note or commitment',
  })
  id!: string;
  @ApiProperty({ type: String, format: 'uuid' })
  conversation!: string;
  @ApiProperty({ type: String })
  channel!: string;
  @ApiProperty({ type: String, description: 'Which of our mailboxes, numbers or shops' })
  account!: string;
  @ApiProperty({ enum: ENTRY_KINDS })
  kind!: string;
  @ApiProperty({ enum: DIRECTIONS })
  direction!: string;
  @ApiProperty({ type: String, format: 'date-time', description: "The provider's clock" })
  occurredAt!: string;
  @ApiProperty({ type: String, format: 'date-time', description: 'Our clock' })
  recordedAt!: string;
  @ApiProperty({ type: Number, description: 'Place in the log where it was first recorded' })
  position!: number;
  @ApiProperty({ type: Boolean, description: 'Arrived over an hour after it happened' })
  late!: boolean;
  @ApiProperty({ type: Boolean, description: 'Shows a revision above 1' })
  corrected!: boolean;
  @ApiPropertyOptional({ type: String })
  subject?: string;
  @ApiPropertyOptional({ type: String })
  preview?: string;
  @ApiPropertyOptional({ type: String })
  agent?: string;
  @ApiPropertyOptional({ type: String, description: 'Of a commitment: open, kept or withdrawn' })
  outcome?: string;
  @ApiPropertyOptional({ type: BodyDto, description: 'With include=body' })
  body?: BodyDto;
  @ApiPropertyOptional({ type: Boolean, description: 'Content is left out: the caller lacks the scope pii' })
  masked?: true;
}

/** A page, newest first. */
export class TimelinePageDto {
  @ApiProperty({ type: [TimelineEntryDto] })
  items!: TimelineEntryDto[];
  @ApiPropertyOptional({ type: String, description: 'Give as `before` for the older page' })
  next?: string;
  @ApiPropertyOptional({ type: String, description: 'Give as `after` for the newer page' })
  previous?: string;
  @ApiPropertyOptional({ type: Number, description: AS_OF_POSITION })
  asOfPosition?: number;
}
