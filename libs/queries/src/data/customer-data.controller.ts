import { Readable } from 'node:stream';
import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  ApiBearerAuth,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '#libs/kernel/api-docs.js';
import { CurrentCaller, Roles, type Caller } from '#libs/access';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { REASON_HEADER, Reasons } from '#libs/access/trail/reasons.js';
import { HubError } from '#libs/kernel';
import { Freshness } from '../shared/freshness.js';
import { onlyParameters, type RawQuery } from '../shared/parameters.js';
import { CustomerData } from './customer-data.js';

/** The right of access: what is stored about a person, as one document. */
@ApiTags('customers')
@ApiBearerAuth()
@Controller('v1')
export class CustomerDataController {
  constructor(
    private readonly data: CustomerData,
    private readonly freshness: Freshness,
    private readonly trail: AccessTrail,
    private readonly reasons: Reasons,
  ) {}

  /** Written as fast as the client reads and no longer than it listens; a document that ends early is no JSON. */
  @Get('customers/:id/data')
  @Roles('supervisor')
  @ApiOperation({
    summary: 'Everything about a person as one JSON document',
    description:
      'Header, identities, links with every decision, profiles as imported, contacts whole with every revision and ' +
      'receipt, what agents have written down, all statements on consents and preferences, and who looked. ' +
      'As of `position`, whatever is recorded meanwhile.',
  })
  @ApiQuery({ name: 'atLeast', required: false, description: 'Wait until the read model shows this position' })
  @ApiHeader({ name: REASON_HEADER, required: false, description: 'Code of the reason; some tenants ask for one' })
  @ApiProduces('application/json')
  @ApiOkResponse({ type: Object })
  @ApiResponse({ status: 403, description: 'The role may not, or the credential lacks the scope `pii`.' })
  @ApiResponse({ status: 404, description: 'No customer has this id.' })
  async document(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: RawQuery,
    @Headers(REASON_HEADER) why: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!caller.pii)
      throw new HubError('ACCESS.FORBIDDEN', 'everything about a person is shown in clear: the scope pii is needed');
    const reason = this.reasons.of(caller, why);
    onlyParameters(query, ['atLeast']);
    await this.freshness.atLeast(caller.tenant, query);
    const document = await this.data.of(caller.tenant, id);
    this.trail.viewed(caller, { customer: id, saw: 'data', reason });
    // Not awaited: a client that leaves is no failure of the request.
    void reply
      .header('content-type', 'application/json; charset=utf-8')
      .header('content-disposition', `attachment; filename="customer-${document.id}.json"`)
      .header('cache-control', 'no-store')
      .send(Readable.from(document.text, { objectMode: false }));
  }
}
