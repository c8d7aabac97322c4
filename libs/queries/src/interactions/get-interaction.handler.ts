import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { isLate, previewOf } from '#libs/projections/timeline/timeline.projection.js';
import { HubError, isUuid, toInstant } from '#libs/kernel';
import { AS_OF_POSITION } from '../as-of/as-of.docs.js';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { shownAsOf, type AsOf } from '../shared/cursor.js';
import { BodyDto, TimelineEntryDto } from '../timeline/timeline.dto.js';
import { Bodies } from './bodies.js';

/** An identifier as the contact carried it. */
export class CarriedIdentifierDto {
  @ApiProperty({ type: String, format: 'uuid' })
  identity!: string;
  @ApiProperty({ type: String })
  type!: string;
  @ApiProperty({ type: String, description: 'Normalised' })
  value!: string;
  @ApiPropertyOptional({ type: Boolean })
  verified?: boolean;
  @ApiPropertyOptional({ type: Boolean, description: 'Stands for nobody in particular' })
  blocked?: boolean;
}

/** A contact whole, in its newest revision, or the newest by then. */
export class InteractionDto extends TimelineEntryDto {
  declare body: BodyDto;
  @ApiProperty({ type: String })
  externalId!: string;
  @ApiProperty({ type: Number })
  revision!: number;
  @ApiProperty({ type: Number, description: 'Position of the newest revision' })
  lastPosition!: number;
  @ApiProperty({ type: String, format: 'date-time' })
  receivedAt!: string;
  @ApiPropertyOptional({ type: String })
  threadId?: string;
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  endedAt?: string;
  @ApiPropertyOptional({ type: String })
  language?: string;
  @ApiPropertyOptional({ type: String })
  name?: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'The identity it belongs to; resolves to its customer' })
  customer!: string;
  @ApiProperty({ type: [CarriedIdentifierDto] })
  identifiers!: CarriedIdentifierDto[];
  @ApiPropertyOptional({ type: Number, description: AS_OF_POSITION })
  asOfPosition?: number;
}

export class GetInteractionQuery extends Query<InteractionDto> {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly asOf?: AsOf,
  ) {
    super();
  }
}

@QueryHandler(GetInteractionQuery)
export class GetInteractionHandler implements IQueryHandler<GetInteractionQuery> {
  constructor(
    private readonly bodies: Bodies,
    private readonly customers: CustomerDirectory,
  ) {}

  async execute({ tenant, id, asOf }: GetInteractionQuery): Promise<InteractionDto> {
    const found = isUuid(id) ? await this.bodies.find(tenant, id, asOf?.position) : undefined;
    if (!found) throw new HubError('INTERACTION.NOT_FOUND', 'no interaction has this id');
    const { events, content } = found;
    if (content.erased) throw new HubError('INTERACTION.ERASED', 'this contact was erased with its customer');
    const { text, html, attachments, attributes, identities, anchor, digest: _digest, ...rest } = content;
    const preview = previewOf(text);
    return {
      id,
      ...rest,
      recordedAt: toInstant(events[0]!.recordedAtMs),
      position: events[0]!.position,
      lastPosition: events.at(-1)!.position,
      late: isLate(content),
      corrected: content.revision > 1,
      ...(preview === null ? {} : { preview }),
      customer: (await this.customers.holderOf(events[0]!.position, asOf?.position)) ?? anchor,
      identifiers: identities,
      body: {
        ...(text === undefined ? {} : { text }),
        ...(html === undefined ? {} : { html }),
        ...(attachments === undefined ? {} : { attachments }),
        ...(attributes === undefined ? {} : { attributes }),
      },
      ...shownAsOf(asOf),
    };
  }
}
