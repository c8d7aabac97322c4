import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { CommitmentDto } from '../agent-work/commitment.dto.js';
import { AS_OF_POSITION } from '../as-of/as-of.docs.js';
import { ConsentDto, PreferenceDto } from '../consents/consents.dto.js';

/** One identifier that belongs to the customer. */
export class CustomerIdentityDto {
  @ApiProperty({ type: String, format: 'uuid' })
  id!: string;
  @ApiProperty({ type: String })
  type!: string;
  @ApiProperty({ type: String, description: 'Normalised' })
  value!: string;
  @ApiProperty({ type: Boolean })
  verified!: boolean;
  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Of an identifier that changed hands: it was this customer’s from here on, somebody else’s before',
  })
  heldFrom?: string;
  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Of an identifier that changed hands: from here on it is somebody else’s',
  })
  heldUntil?: string;
}

/** A customer record of another system. */
export class CustomerProfileDto {
  @ApiProperty({ type: String })
  source!: string;
  @ApiProperty({ type: String })
  externalId!: string;
  @ApiPropertyOptional({ type: String })
  name?: string;
  @ApiPropertyOptional({ type: String })
  givenName?: string;
  @ApiPropertyOptional({ type: String })
  familyName?: string;
  @ApiPropertyOptional({ type: String })
  birthDate?: string;
  @ApiPropertyOptional({ type: String })
  address?: string;
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  createdAt?: string;
  @ApiPropertyOptional({ type: Object })
  consents?: Record<string, boolean>;
  @ApiPropertyOptional({ type: Object })
  attributes?: Record<string, unknown>;
}

const PREFERRED_SOURCES = ['stated', 'observed'] as const;

/** The header of a timeline. */
export class CustomerDto {
  @ApiProperty({
    type: String,
    format: 'uuid',
    description: 'Id of the earliest identity; every id in `identities` names the same customer',
  })
  id!: string;
  @ApiPropertyOptional({ type: String })
  name?: string;
  @ApiProperty({ type: [String], description: 'Every name that came with one of the identities, `name` first' })
  names!: string[];
  @ApiProperty({ type: [CustomerIdentityDto] })
  identities!: CustomerIdentityDto[];
  @ApiProperty({ type: [CustomerProfileDto] })
  profiles!: CustomerProfileDto[];
  @ApiProperty({ type: Object, description: 'Number of contacts by channel' })
  channels!: Record<string, number>;
  @ApiProperty({ type: Number })
  interactions!: number;
  @ApiPropertyOptional({ type: String, description: 'The channel stated in general, else that of most contacts begun' })
  preferredChannel?: string;
  @ApiPropertyOptional({ enum: PREFERRED_SOURCES })
  preferredChannelSource?: (typeof PREFERRED_SOURCES)[number];
  @ApiProperty({ type: [PreferenceDto], description: 'Channels that were stated, in general or for a purpose' })
  preferences!: PreferenceDto[];
  @ApiProperty({
    type: [ConsentDto],
    description:
      'What is allowed and forbidden now: a denial by any identity wins, and one on every channel before all',
  })
  consents!: ConsentDto[];
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  firstContactAt?: string;
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  lastContactAt?: string;
  @ApiProperty({ type: [CommitmentDto], description: 'Open ones, due first in front, at most 20' })
  commitments!: CommitmentDto[];
  @ApiProperty({ type: Number, description: 'How many there are in all' })
  openCommitments!: number;
  @ApiPropertyOptional({ type: Boolean, description: 'Identifiers are masked, names left out: the caller lacks pii' })
  masked?: true;
  @ApiPropertyOptional({ type: Number, description: AS_OF_POSITION })
  asOfPosition?: number;
}

/** Customers found; empty when nobody is known by the identifier. */
export class CustomerListDto {
  @ApiProperty({ type: [CustomerDto] })
  items!: CustomerDto[];
  @ApiPropertyOptional({ type: Number, description: AS_OF_POSITION })
  asOfPosition?: number;
}
