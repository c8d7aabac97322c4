import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';

/** What was promised to the customer and is still owed. */
export class CommitmentDto {
  @ApiProperty({ type: String, format: 'uuid' })
  id!: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'Where it was made' })
  conversation!: string;
  @ApiPropertyOptional({ type: String, description: 'Left out where the caller lacks pii' })
  text?: string;
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  dueAt?: string;
  @ApiProperty({ type: String, format: 'date-time' })
  madeAt!: string;
  @ApiProperty({ type: String, description: 'Who made it' })
  agent!: string;
}
