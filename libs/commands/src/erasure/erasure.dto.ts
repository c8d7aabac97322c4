import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';

export class EraseCustomerDto {
  @ApiProperty({
    type: String,
    example: 'gdpr-art-17',
    description: 'Code of the reason, no sentence: it is kept for ever, and may not name anybody',
  })
  reason!: string;
}

export class ErasedIdentityDto {
  @ApiProperty({ type: String, format: 'uuid' })
  identity!: string;
  @ApiProperty({ type: String, example: 'email' })
  type!: string;
  @ApiPropertyOptional({ type: Boolean, description: 'False where nothing was sealed under it; absent while pending' })
  keyDestroyed?: boolean;
}

export class ErasedRowsDto {
  @ApiProperty({ type: String })
  table!: string;
  @ApiProperty({ type: Number })
  rows!: number;
}

/** What was destroyed, where, when and how much of it; `pending` until all of it is. */
export class ErasureDto {
  @ApiProperty({ enum: ['pending', 'completed'] })
  status!: 'pending' | 'completed';
  @ApiProperty({ type: String, format: 'uuid' })
  erasure!: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'The id by which the customer was named' })
  customer!: string;
  @ApiProperty({ type: String, description: 'Id of an API key, or `user:` and the subject of a token' })
  by!: string;
  @ApiProperty({ type: String })
  reason!: string;
  @ApiProperty({ type: String, format: 'date-time' })
  requestedAt!: string;
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  completedAt?: string;
  @ApiPropertyOptional({ type: Number, description: 'Place in the log up to which everything has forgotten' })
  position?: number;
  @ApiProperty({ type: [ErasedIdentityDto] })
  identities!: ErasedIdentityDto[];
  @ApiProperty({ type: Number, description: 'Links with the reasons people gave for them' })
  links!: number;
  @ApiProperty({ type: Number, description: 'Conversations that nobody else took part in' })
  conversations!: number;
  @ApiProperty({ type: Number })
  contacts!: number;
  @ApiProperty({ type: Number, description: 'Recorded events whose content nobody can read any more' })
  events!: number;
  @ApiProperty({ type: [ErasedRowsDto], description: 'Rows of the read model' })
  rows!: ErasedRowsDto[];
  @ApiPropertyOptional({ type: Number, description: 'Parked messages whose bytes are gone' })
  parked?: number;
  @ApiPropertyOptional({ type: [String], description: 'Files in which nothing of what was deleted is left' })
  files?: string[];
}
