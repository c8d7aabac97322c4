import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';

export const MAX_NOTE_CHARS = 10_000;
export const MAX_COMMITMENT_CHARS = 1000;

export class AddNoteDto {
  @ApiProperty({ type: String, maxLength: MAX_NOTE_CHARS, example: 'prefers to be called after six' })
  text!: string;
}

export class MakeCommitmentDto {
  @ApiProperty({ type: String, maxLength: MAX_COMMITMENT_CHARS, example: 'call back with the delivery date' })
  text!: string;
  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'Until when; may be past' })
  dueAt?: string;
}

export class EndCommitmentDto {
  @ApiPropertyOptional({ type: String, maxLength: MAX_COMMITMENT_CHARS, example: 'told her on the phone' })
  reason?: string;
}

/** What was written down, and where. */
export class WrittenDownDto {
  @ApiProperty({ type: String, format: 'uuid', description: 'The note or commitment' })
  id!: string;
  @ApiProperty({ type: Number, description: 'Where it is recorded: give it as `atLeast` to read what follows from it' })
  position!: number;
}
