import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';

const BY = 'Who wrote it down: id of an API key, or `user:` and the subject of a token';
const IDENTITY = 'The identity it stands with, whatever is linked: say otherwise to this id';

const SOURCES = ['stated', 'profile'] as const;

/** What a person allows or forbids. */
export class ConsentDto {
  @ApiProperty({ type: String })
  purpose!: string;
  @ApiPropertyOptional({ type: String, description: 'Absent: on every channel' })
  channel?: string;
  @ApiProperty({ type: Boolean })
  granted!: boolean;
  @ApiProperty({ type: String, format: 'date-time', description: 'Of a profile: when it was imported' })
  statedAt!: string;
  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'It no longer holds from here on' })
  until?: string;
  @ApiProperty({ enum: SOURCES, description: '`profile`: an imported record says so' })
  source!: (typeof SOURCES)[number];
  @ApiProperty({ type: String, format: 'uuid', description: IDENTITY })
  identity!: string;
  @ApiPropertyOptional({ type: String, description: BY })
  by?: string;
  @ApiPropertyOptional({ type: String, description: 'How the person said so' })
  evidence?: string;
}

/** The channel a person wishes to be reached on. */
export class PreferenceDto {
  @ApiProperty({ type: String })
  channel!: string;
  @ApiPropertyOptional({ type: String, description: 'What it is preferred for; absent: in general' })
  purpose?: string;
  @ApiProperty({ type: String, format: 'date-time' })
  statedAt!: string;
  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'It no longer holds from here on' })
  until?: string;
  @ApiProperty({ type: String, format: 'uuid', description: IDENTITY })
  identity!: string;
  @ApiProperty({ type: String, description: BY })
  by!: string;
  @ApiPropertyOptional({ type: String, description: 'How the person said so' })
  evidence?: string;
}
