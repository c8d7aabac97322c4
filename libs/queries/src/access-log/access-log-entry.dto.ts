import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { REVEALED_FIELDS, SEEN_PARTS } from '#libs/domain';

/** One look at a customer, or one value revealed. */
export class AccessLogEntryDto {
  @ApiProperty({ enum: ['viewed', 'revealed'] })
  what!: 'viewed' | 'revealed';
  @ApiProperty({ type: String, description: 'Id of an API key, or `user:` and the subject of a token' })
  by!: string;
  @ApiProperty({ type: String, format: 'date-time' })
  at!: string;
  @ApiPropertyOptional({ type: [String], enum: SEEN_PARTS, description: 'Parts that were seen' })
  saw?: string[];
  @ApiPropertyOptional({ type: Number, description: 'Looks within a second or so count as one entry' })
  reads?: number;
  @ApiPropertyOptional({ enum: REVEALED_FIELDS })
  field?: string;
  @ApiPropertyOptional({ type: String, format: 'uuid', description: 'Which identifier was revealed' })
  identity?: string;
  @ApiPropertyOptional({ type: String, description: 'Code of the reason given' })
  reason?: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'The id by which the customer was opened' })
  customer!: string;
  @ApiProperty({ type: Number, description: 'Place in the log' })
  position!: number;
}
