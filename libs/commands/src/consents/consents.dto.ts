import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';

const UNTIL = 'Instant to come from which on the statement no longer holds';
const EVIDENCE = 'How the person said so';

/** What a person allows or forbids. */
export class RecordConsentDto {
  @ApiProperty({ type: String, pattern: '^[a-z0-9][a-z0-9._-]{0,63}$', example: 'marketing' })
  purpose!: string;
  @ApiPropertyOptional({ type: String, example: 'email', description: 'Absent: on every channel' })
  channel?: string;
  @ApiProperty({ type: Boolean, description: 'False: withdrawn or denied' })
  granted!: boolean;
  @ApiProperty({ type: String, maxLength: 1000, description: EVIDENCE, example: 'asked for it on the phone' })
  evidence!: string;
  @ApiPropertyOptional({ type: String, format: 'date-time', description: UNTIL })
  until?: string;
}

/** Which channel a person prefers. */
export class StatePreferenceDto {
  @ApiProperty({ type: String, example: 'whatsapp' })
  channel!: string;
  @ApiPropertyOptional({
    type: String,
    pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
    example: 'order-updates',
    description: 'What it is preferred for; absent: in general',
  })
  purpose?: string;
  @ApiPropertyOptional({ type: Boolean, description: 'True: the wish for this channel is taken back' })
  withdrawn?: boolean;
  @ApiPropertyOptional({ type: String, maxLength: 1000, description: EVIDENCE })
  evidence?: string;
  @ApiPropertyOptional({ type: String, format: 'date-time', description: UNTIL })
  until?: string;
}

const OUTCOMES = ['recorded', 'unchanged'] as const;

/** What came of a statement. */
export class StatementOutcomeDto {
  @ApiProperty({ type: String, format: 'uuid', description: 'The identity it stands with, whatever is linked' })
  identity!: string;
  @ApiProperty({ enum: OUTCOMES, description: '`unchanged` where the same had been said last' })
  outcome!: (typeof OUTCOMES)[number];
  @ApiProperty({ type: Number, description: 'Where it is recorded: give it as `atLeast` to read what follows from it' })
  position!: number;
}
