import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';

/** Two customers to be joined. */
export class LinkIdentitiesDto {
  @ApiProperty({
    type: [String],
    minItems: 2,
    maxItems: 2,
    description: 'One identity of each customer: its id, or `type:value` in any spelling',
    example: ['email:ana@example.com', 'phone:+34600123456'],
  })
  identities!: string[];
  @ApiProperty({ type: String, maxLength: 1000, example: 'said on the phone that both are hers' })
  reason!: string;
}

export class RetractLinkDto {
  @ApiProperty({ type: String, maxLength: 1000, example: 'two people of one household' })
  reason!: string;
}

export class RuleOnProposalDto {
  @ApiPropertyOptional({ type: String, maxLength: 1000 })
  reason?: string;
}

const OUTCOMES = ['linked', 'confirmed', 'rejected', 'retracted', 'unchanged'] as const;

/** What a command on a link has done. */
export class LinkOutcomeDto {
  @ApiProperty({ type: String, format: 'uuid' })
  link!: string;
  @ApiProperty({ enum: OUTCOMES, description: '`unchanged` where an agent had said so before' })
  outcome!: (typeof OUTCOMES)[number];
  @ApiProperty({ type: Number, description: 'Where it is recorded: give it as `atLeast` to read what follows from it' })
  position!: number;
}
