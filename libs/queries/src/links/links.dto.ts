import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { AS_OF_POSITION } from '../as-of/as-of.docs.js';
import { CustomerDto, CustomerIdentityDto } from '../customers/customer.dto.js';

/** One end of a link. */
export class LinkEndDto extends CustomerIdentityDto {
  @ApiPropertyOptional({ type: String, description: 'Earliest name seen with it' })
  name?: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'Who it belongs to now, or with `asOf` then' })
  customer!: string;
}

const DECISIONS = ['linked', 'proposed', 'confirmed', 'rejected', 'retracted'] as const;
export type LinkDecision = (typeof DECISIONS)[number];

/** What was decided about a link, by whom or by which rules, when and why. */
export class LinkDecisionDto {
  @ApiProperty({ enum: DECISIONS })
  decision!: LinkDecision;
  @ApiProperty({ type: String, format: 'date-time' })
  at!: string;
  @ApiProperty({ type: Number })
  position!: number;
  @ApiPropertyOptional({ type: String, description: 'Who decided; absent where a rule did' })
  agent?: string;
  @ApiPropertyOptional({ type: String, description: 'Version of the rules that decided' })
  rule?: string;
  @ApiPropertyOptional({
    type: String,
    description:
      'How the two were seen together, strongest first: profile-import, identify, same-mailbox, same-interaction; or agent',
  })
  evidence?: string;
  @ApiPropertyOptional({ type: Number, description: '0 to 1' })
  confidence?: number;
  @ApiPropertyOptional({ type: String })
  reason?: string;
}

/** Two identities that were linked or proposed, with everything decided about them, newest last. */
export class LinkDto {
  @ApiProperty({ type: String, format: 'uuid' })
  id!: string;
  @ApiProperty({ enum: ['active', 'retracted', 'proposed', 'rejected'] })
  status!: string;
  @ApiProperty({ type: [LinkEndDto], minItems: 2, maxItems: 2 })
  between!: LinkEndDto[];
  @ApiProperty({ type: [LinkDecisionDto] })
  decisions!: LinkDecisionDto[];
}

/** One identity of a customer. */
export class NamedIdentityDto extends CustomerIdentityDto {
  @ApiPropertyOptional({ type: String, description: 'Earliest name seen with it' })
  name?: string;
}

/** Why a customer is one: every identity, and a page of the links with an end among them, latest decision first. */
export class CustomerIdentitiesDto {
  @ApiProperty({ type: String, format: 'uuid' })
  id!: string;
  @ApiProperty({ type: [NamedIdentityDto] })
  identities!: NamedIdentityDto[];
  @ApiProperty({ type: [LinkDto], description: 'Active, proposed, rejected and retracted ones' })
  links!: LinkDto[];
  @ApiPropertyOptional({ type: Number, description: AS_OF_POSITION })
  asOfPosition?: number;
  @ApiPropertyOptional({ type: String, description: 'Give as `before` for older links' })
  next?: string;
  @ApiPropertyOptional({ type: String, description: 'Give as `after` for newer links' })
  previous?: string;
}

/** What the rules leave to people. */
export class LinkProposalDto {
  @ApiProperty({ type: String, format: 'uuid', description: 'The link it would make' })
  id!: string;
  @ApiProperty({ type: String, format: 'date-time' })
  proposedAt!: string;
  @ApiProperty({ type: Number })
  position!: number;
  @ApiProperty({
    type: String,
    description:
      'Strongest evidence that the two are one; same-name where a name alone does, `unknown` for old proposals',
  })
  evidence!: string;
  @ApiProperty({ type: Number, description: '0 to 1' })
  confidence!: number;
  @ApiProperty({
    type: String,
    description: 'What keeps the rules from linking: conflicting-accounts, conflicting-profiles, same-name',
  })
  reason!: string;
  @ApiPropertyOptional({ type: String, description: 'Version of the rules' })
  rule?: string;
  @ApiProperty({ type: [LinkEndDto], minItems: 2, maxItems: 2 })
  between!: LinkEndDto[];
}

/** A page of open proposals, newest first. */
export class LinkProposalPageDto {
  @ApiProperty({ type: [LinkProposalDto] })
  items!: LinkProposalDto[];
  @ApiPropertyOptional({ type: String })
  next?: string;
  @ApiPropertyOptional({ type: String })
  previous?: string;
}

/** What to look at before it happens: one of the two. */
export class PreviewLinkDto {
  @ApiPropertyOptional({
    type: [String],
    minItems: 2,
    maxItems: 2,
    description: 'Two identities to link: ids, or `type:value`',
    example: ['email:ana@example.com', 'phone:+34600123456'],
  })
  link?: string[];
  @ApiPropertyOptional({ type: String, format: 'uuid', description: 'A link to retract' })
  retract?: string;
}

const CONFLICTS = ['verified-accounts', 'birth-dates', 'consents', 'ruled-apart'] as const;

/** What speaks against two sides being one customer. */
export class LinkConflictDto {
  @ApiProperty({ enum: CONFLICTS })
  kind!: (typeof CONFLICTS)[number];
  @ApiPropertyOptional({
    type: String,
    description: 'Of consents: the purpose; of ruled-apart: the reason given',
  })
  about?: string;
  @ApiPropertyOptional({ type: String, description: 'Of consents: the channel; absent: on every channel' })
  channel?: string;
  @ApiProperty({ type: [String], description: 'What the first side has; of ruled-apart: who ruled' })
  one!: string[];
  @ApiProperty({ type: [String], description: 'What the second side has' })
  other!: string[];
}

/** What would join or part, before anything happens. */
export class LinkPreviewDto {
  @ApiProperty({ enum: ['link', 'retract'] })
  action!: 'link' | 'retract';
  @ApiProperty({ type: String, format: 'uuid', description: 'The link in question, whether it exists already or not' })
  link!: string;
  @ApiProperty({ type: Boolean, description: 'False where the customers would stay as they are' })
  changes!: boolean;
  @ApiProperty({
    type: [CustomerDto],
    description: 'One or two customers, with identities, contacts by channel and consents',
  })
  before!: CustomerDto[];
  @ApiProperty({ type: [CustomerDto] })
  after!: CustomerDto[];
  @ApiProperty({ type: [String], format: 'uuid', description: 'Other links that hold the two together, where they do' })
  heldBy!: string[];
  @ApiProperty({ type: [LinkConflictDto], description: 'What speaks against the two sides being one customer' })
  conflicts!: LinkConflictDto[];
  @ApiProperty({ type: Number, description: 'Position of the log that this was answered at' })
  position!: number;
}
