import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import {
  ApiBearerAuth,
  ApiBody,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '#libs/kernel/api-docs.js';
import {
  CurrentCaller,
  Roles,
  optionalField,
  readBodyFields,
  refusal,
  textField,
  textPairField,
  type Caller,
} from '#libs/access';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { REASON_HEADER, Reasons } from '#libs/access/trail/reasons.js';
import { AS_OF, AsOfQueries } from '../as-of/as-of.docs.js';
import { AsOfReader } from '../as-of/as-of-reader.js';
import { Freshness } from '../shared/freshness.js';
import { maskIdentities, maskPreview, maskProposals } from '../shared/masked.js';
import { onlyParameters, pageBounds, type RawQuery } from '../shared/parameters.js';
import { GetCustomerIdentitiesQuery } from './get-customer-identities.handler.js';
import { GetLinkProposalsQuery } from './get-link-proposals.handler.js';
import { CustomerIdentitiesDto, LinkPreviewDto, LinkProposalPageDto, PreviewLinkDto } from './links.dto.js';
import { PreviewLinkQuery } from './preview-link.handler.js';

const PREVIEW = {
  link: optionalField(textPairField(600, 'ids of identities, or type:value')),
  retract: optionalField(textField(40)),
};

/** What people look at before they say who is who. */
@ApiTags('links')
@ApiBearerAuth()
@Controller('v1')
export class LinkQueriesController {
  constructor(
    private readonly queries: QueryBus,
    private readonly freshness: Freshness,
    private readonly asOf: AsOfReader,
    private readonly trail: AccessTrail,
    private readonly reasons: Reasons,
  ) {}

  @Post('links/preview')
  @HttpCode(200)
  @Roles('supervisor')
  @ApiOperation({ summary: 'What a link would join or a retraction part; nothing happens' })
  @ApiBody({ type: PreviewLinkDto })
  @ApiQuery({ name: 'atLeast', required: false, description: 'Wait until the read model shows this position' })
  @ApiOkResponse({ type: LinkPreviewDto })
  @ApiResponse({ status: 404, description: 'No link has this id.' })
  @ApiResponse({ status: 409, description: 'The link is only proposed.' })
  @ApiResponse({ status: 422, description: 'A field is missing or wrong, or names no known identity.' })
  async preview(
    @CurrentCaller() { tenant, pii }: Caller,
    @Body() body: unknown,
    @Query() query: RawQuery,
  ): Promise<LinkPreviewDto> {
    onlyParameters(query, ['atLeast']);
    const { link, retract } = readBodyFields(body, PREVIEW, 'LINK.INVALID');
    const question = link && !retract ? { tenant, link } : retract && !link ? { tenant, retract } : undefined;
    if (!question)
      throw refusal('LINK.INVALID', [
        {
          path: '$',
          message: link ? 'has both link and retract' : 'has no link and no retract',
          allowed: 'one of them',
        },
      ]);
    await this.freshness.atLeast(tenant, query);
    const preview = await this.queries.execute(new PreviewLinkQuery(question));
    return pii ? preview : maskPreview(preview);
  }

  @Get('link-proposals')
  @Roles('agent', 'supervisor')
  @ApiOperation({ summary: 'What the rules leave to people, newest first' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 100, default 50' })
  @ApiQuery({ name: 'before', required: false, description: 'Cursor: `next` of an earlier answer' })
  @ApiQuery({ name: 'after', required: false, description: 'Cursor: `previous` of an earlier answer' })
  @ApiQuery({ name: 'atLeast', required: false })
  @ApiOkResponse({ type: LinkProposalPageDto })
  async proposals(@CurrentCaller() { tenant, pii }: Caller, @Query() query: RawQuery): Promise<LinkProposalPageDto> {
    onlyParameters(query, ['limit', 'before', 'after', 'atLeast']);
    const question = { tenant, ...pageBounds(query) };
    await this.freshness.atLeast(tenant, query);
    const page = await this.queries.execute(new GetLinkProposalsQuery(question));
    return pii ? page : maskProposals(page);
  }

  @Get('customers/:id/identities')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({
    summary: 'Why a customer is one: identities, links, who or which rule made them, the retracted ones too',
  })
  @ApiQuery({ name: 'limit', required: false, description: 'Links a page, 1 to 100, default 50' })
  @ApiQuery({ name: 'before', required: false, description: 'Cursor: `next` of an earlier answer' })
  @ApiQuery({ name: 'after', required: false, description: 'Cursor: `previous` of an earlier answer' })
  @ApiQuery({ name: 'atLeast', required: false })
  @AsOfQueries()
  @ApiHeader({ name: REASON_HEADER, required: false, description: 'Code of the reason; some tenants ask for one' })
  @ApiOkResponse({ type: CustomerIdentitiesDto })
  async identities(
    @CurrentCaller() caller: Caller,
    @Param('id') customer: string,
    @Query() query: RawQuery,
    @Headers(REASON_HEADER) why: string | undefined,
  ): Promise<CustomerIdentitiesDto> {
    onlyParameters(query, ['limit', 'before', 'after', 'atLeast', ...AS_OF]);
    const reason = this.reasons.of(caller, why);
    const question = { tenant: caller.tenant, customer, ...pageBounds(query) };
    await this.freshness.atLeast(caller.tenant, query);
    const asOf = await this.asOf.shown(caller.tenant, query);
    const found = await this.queries.execute(new GetCustomerIdentitiesQuery({ ...question, ...(asOf && { asOf }) }));
    this.trail.viewed(caller, { customer, saw: 'identities', reason });
    return caller.pii ? found : maskIdentities(found);
  }
}
