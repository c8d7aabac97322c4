import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOperation,
  ApiResponse,
  ApiTags,
  schemaPathOf,
} from '#libs/kernel/api-docs.js';
import { callerOf, Roles, type CallerRequest } from '#libs/access';
import { CONTENT_TYPES, type RawRequest } from './delivery.js';
import { interactions, profiles } from './inbound.js';
import { InteractionDto, ProfileDto } from './ingest.dto.js';
import { IngestService, type IngestAnswer } from './ingest.service.js';

type IngestRequest = RawRequest & CallerRequest;

const oneOrMany = (dto: new () => object) => ({
  schema: {
    oneOf: [{ $ref: schemaPathOf(dto) }, { type: 'array', maxItems: 1000, items: { $ref: schemaPathOf(dto) } }],
  },
});

/** Where integrations hand over contacts and customer records. Plain `@Req()`: every wrapper of a parameter costs more than the check of an item. */
@ApiTags('ingest')
@ApiBearerAuth()
@ApiConsumes(...CONTENT_TYPES)
@ApiExtraModels(InteractionDto, ProfileDto)
@ApiResponse({
  status: 202,
  description: 'Durable. One result per item: accepted, recorded, duplicate, corrected, parked or rejected.',
})
@ApiResponse({ status: 400, description: 'The body is not JSON; says where.' })
@ApiResponse({ status: 413, description: 'More than 5 MiB or 1000 items.' })
@ApiResponse({ status: 415, description: 'Another content type.' })
@ApiResponse({ status: 422, description: 'No item is acceptable; says why, item by item.' })
@ApiResponse({ status: 503, description: 'Nothing was taken; send it again after Retry-After.' })
@Controller('v1')
@Roles('integration')
export class IngestController {
  constructor(private readonly ingest: IngestService) {}

  @Post('interactions')
  @HttpCode(202)
  @ApiOperation({ summary: 'Hand over one contact or up to 1000, once or ten times' })
  @ApiBody(oneOrMany(InteractionDto))
  takeInteractions(@Req() request: IngestRequest): Promise<IngestAnswer> {
    return this.ingest.take(interactions, callerOf(request).tenant, request);
  }

  @Post('profiles')
  @HttpCode(202)
  @ApiOperation({ summary: 'Hand over one customer record or up to 1000' })
  @ApiBody(oneOrMany(ProfileDto))
  takeProfiles(@Req() request: IngestRequest): Promise<IngestAnswer> {
    return this.ingest.take(profiles, callerOf(request).tenant, request);
  }
}
