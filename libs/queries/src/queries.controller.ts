import { Controller, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import {
  ApiBearerAuth,
  ApiBody,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '#libs/kernel/api-docs.js';
import type { FastifyReply } from 'fastify';
import { isDeepStrictEqual } from 'node:util';
import { CurrentCaller, Roles, readJsonBody, type Caller, type CallerRequest } from '#libs/access';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { REASON_HEADER, Reasons } from '#libs/access/trail/reasons.js';
import { DIRECTIONS, ENTRY_KINDS } from '#libs/kernel';
import { AccessLogDto, GetAccessLogQuery } from './access-log/get-access-log.handler.js';
import { AS_OF, AsOfQueries } from './as-of/as-of.docs.js';
import { AsOfReader } from './as-of/as-of-reader.js';
import { ConversationDto, GetConversationQuery } from './conversations/get-conversation.handler.js';
import { CustomerDirectory } from './customers/customer-directory.js';
import { CustomerDto, CustomerListDto } from './customers/customer.dto.js';
import { FindCustomersQuery } from './customers/find-customers.handler.js';
import { GetCustomerQuery } from './customers/get-customer.handler.js';
import { RevealRequestDto, RevealedDto, Reveals } from './customers/reveal.js';
import { GetInteractionQuery, InteractionDto } from './interactions/get-interaction.handler.js';
import { GetReceiptQuery, ReceiptDto } from './receipts/get-receipt.handler.js';
import { invalidQuery } from './shared/cursor.js';
import { Freshness } from './shared/freshness.js';
import {
  maskConversation,
  maskCustomer,
  maskCustomers,
  maskEntry,
  maskInteraction,
  maskPage,
} from './shared/masked.js';
import {
  directions,
  eitherInstant,
  kinds,
  oneOf,
  onlyParameters,
  pageBounds,
  several,
  single,
  whole,
  type RawQuery,
} from './shared/parameters.js';
import { GetTimelineQuery } from './timeline/get-timeline.handler.js';
import { LiveTimelines } from './timeline/live-timelines.js';
import { TimelinePageDto } from './timeline/timeline.dto.js';

/**
 * What agents ask. Another tenant's ids answer as unknown ones do. Callers without the scope `pii` get masks, and who
 * has looked at whom is written down.
 */
@ApiTags('timeline')
@ApiBearerAuth()
@ApiHeader({ name: REASON_HEADER, required: false, description: 'Code of the reason; some tenants ask for one' })
@Controller('v1')
export class QueriesController {
  constructor(
    private readonly queries: QueryBus,
    private readonly customers: CustomerDirectory,
    private readonly live: LiveTimelines,
    private readonly freshness: Freshness,
    private readonly reveals: Reveals,
    private readonly trail: AccessTrail,
    private readonly reasons: Reasons,
    private readonly asOf: AsOfReader,
  ) {}

  @Get('customers')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'Customers known by an identifier, in any spelling' })
  @ApiQuery({ name: 'identifier', example: 'email:ana@example.com' })
  @ApiQuery({ name: 'atLeast', required: false, description: 'Wait until the read model shows this position' })
  @AsOfQueries()
  @ApiOkResponse({ type: CustomerListDto })
  async findCustomers(
    @CurrentCaller() caller: Caller,
    @Query() query: RawQuery,
    @Headers(REASON_HEADER) why: string | undefined,
  ): Promise<CustomerListDto> {
    const reason = this.reasons.of(caller, why);
    onlyParameters(query, ['identifier', 'atLeast', ...AS_OF]);
    const identifier = single(query, 'identifier');
    if (identifier === undefined)
      throw invalidQuery('identifier', 'is missing', 'type:value is needed, for example email:ana@example.com');
    await this.freshness.atLeast(caller.tenant, query);
    const found = await this.queries.execute(
      new FindCustomersQuery(caller.tenant, identifier, await this.asOf.shown(caller.tenant, query)),
    );
    for (const { id } of found.items) this.trail.viewed(caller, { customer: id, saw: 'header', reason });
    return caller.pii ? found : maskCustomers(found);
  }

  @Get('customers/:id')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'A customer, by any of its ids' })
  @AsOfQueries()
  @ApiOkResponse({ type: CustomerDto })
  async customer(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: RawQuery,
    @Headers(REASON_HEADER) why: string | undefined,
  ): Promise<CustomerDto> {
    const reason = this.reasons.of(caller, why);
    onlyParameters(query, ['atLeast', ...AS_OF]);
    await this.freshness.atLeast(caller.tenant, query);
    const customer = await this.queries.execute(
      new GetCustomerQuery(caller.tenant, id, await this.asOf.shown(caller.tenant, query)),
    );
    this.trail.viewed(caller, { customer: id, saw: 'header', reason });
    return caller.pii ? customer : maskCustomer(customer);
  }

  @Get('customers/:id/timeline')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'All contacts of a customer on all channels, and what agents wrote down, newest first' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 100, default 50' })
  @ApiQuery({ name: 'before', required: false, description: 'Cursor: `next` of an earlier answer' })
  @ApiQuery({ name: 'after', required: false, description: 'Cursor: `previous` of an earlier answer' })
  @ApiQuery({ name: 'channel', required: false, description: 'One or more, by comma' })
  @ApiQuery({ name: 'kind', required: false, description: `Of ${ENTRY_KINDS.join(', ')}` })
  @ApiQuery({ name: 'direction', required: false, description: `Of ${DIRECTIONS.join(', ')}` })
  @ApiQuery({ name: 'from', required: false, description: 'Of `occurredAt`: instant, inclusive' })
  @ApiQuery({ name: 'to', required: false, description: 'Of `occurredAt`: instant, exclusive' })
  @ApiQuery({ name: 'occurredFrom', required: false, description: 'Another name of `from`' })
  @ApiQuery({ name: 'occurredTo', required: false, description: 'Another name of `to`' })
  @ApiQuery({ name: 'include', required: false, description: '`body`' })
  @ApiQuery({ name: 'atLeast', required: false })
  @AsOfQueries()
  @ApiOkResponse({ type: TimelinePageDto })
  async timeline(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: RawQuery,
    @Headers(REASON_HEADER) why: string | undefined,
  ): Promise<TimelinePageDto> {
    const reason = this.reasons.of(caller, why);
    onlyParameters(query, [
      'limit',
      'before',
      'after',
      'channel',
      'kind',
      'direction',
      'from',
      'to',
      'occurredFrom',
      'occurredTo',
      'include',
      'atLeast',
      ...AS_OF,
    ]);
    const question = {
      tenant: caller.tenant,
      customer: id,
      ...page(query, caller),
      channels: several(query, 'channel'),
      kinds: kinds(query),
      directions: directions(query),
      from: eitherInstant(query, 'from', 'occurredFrom'),
      to: eitherInstant(query, 'to', 'occurredTo'),
    };
    await this.freshness.atLeast(caller.tenant, query);
    const asOf = await this.asOf.shown(caller.tenant, query);
    const found = await this.queries.execute(new GetTimelineQuery({ ...question, asOf }));
    this.trail.viewed(caller, { customer: id, saw: 'timeline', reason });
    return caller.pii ? found : maskPage(found);
  }

  @Get('customers/:id/timeline/stream')
  @Roles('agent', 'supervisor')
  @ApiOperation({ summary: 'New and changed entries of a customer’s timeline as server-sent events' })
  @ApiProduces('text/event-stream')
  async stream(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Headers(REASON_HEADER) why: string | undefined,
    @Req() request: CallerRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const reason = this.reasons.of(caller, why);
    const customer = await this.customers.get(caller.tenant, id);
    const after = whole({ 'Last-Event-ID': lastEventId }, 'Last-Event-ID', 0, Number.MAX_SAFE_INTEGER);
    this.trail.viewed(caller, { customer: id, saw: 'stream', reason });
    const stream = await this.live.watch(customer, {
      lastEventId: after,
      shown: caller.pii ? (entry) => entry : maskEntry,
      isAllowed: async () => isDeepStrictEqual(await request.callerNow?.(), caller),
    });
    await reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream);
  }

  @Post('customers/:id/reveal')
  @HttpCode(200)
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'One masked value in clear; who asked and why is written down first' })
  @ApiBody({ type: RevealRequestDto })
  @ApiOkResponse({ type: RevealedDto })
  reveal(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Req() { body }: { body: unknown },
  ): Promise<RevealedDto> {
    return this.reveals.reveal(caller, id, readJsonBody(body));
  }

  @Get('customers/:id/access-log')
  @Roles('supervisor')
  @ApiOperation({ summary: 'Who looked at a customer, and what was revealed, newest first' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 100, default 50' })
  @ApiQuery({ name: 'before', required: false, description: 'Cursor: `next` of an earlier answer' })
  @ApiQuery({ name: 'atLeast', required: false })
  @ApiOkResponse({ type: AccessLogDto })
  async accessLog(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: RawQuery,
  ): Promise<AccessLogDto> {
    onlyParameters(query, ['limit', 'before', 'atLeast']);
    const { limit, before } = pageBounds(query);
    await this.freshness.atLeast(caller.tenant, query);
    return this.queries.execute(new GetAccessLogQuery(caller.tenant, id, limit, before));
  }

  @Get('interactions/:id')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'A contact whole' })
  @AsOfQueries()
  @ApiOkResponse({ type: InteractionDto })
  async interaction(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: RawQuery,
    @Headers(REASON_HEADER) why: string | undefined,
  ): Promise<InteractionDto> {
    onlyParameters(query, AS_OF);
    const reason = this.reasons.of(caller, why);
    const found = await this.queries.execute(new GetInteractionQuery(caller.tenant, id, await this.asOf.read(query)));
    this.trail.viewed(caller, { customer: found.customer, saw: 'interaction', reason });
    return caller.pii ? found : maskInteraction(found);
  }

  @Get('conversations/:id')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'A conversation with a page of its contacts, newest first' })
  @ApiQuery({ name: 'limit', required: false })
  @ApiQuery({ name: 'before', required: false })
  @ApiQuery({ name: 'after', required: false })
  @ApiQuery({ name: 'include', required: false })
  @ApiQuery({ name: 'atLeast', required: false })
  @AsOfQueries()
  @ApiOkResponse({ type: ConversationDto })
  async conversation(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: RawQuery,
    @Headers(REASON_HEADER) why: string | undefined,
  ): Promise<ConversationDto> {
    const reason = this.reasons.of(caller, why);
    onlyParameters(query, ['limit', 'before', 'after', 'include', 'atLeast', ...AS_OF]);
    const question = { tenant: caller.tenant, id, ...page(query, caller) };
    await this.freshness.atLeast(caller.tenant, query);
    const asOf = await this.asOf.shown(caller.tenant, query);
    const found = await this.queries.execute(new GetConversationQuery({ ...question, asOf }));
    for (const customer of found.customers) this.trail.viewed(caller, { customer, saw: 'conversation', reason });
    return caller.pii ? found : maskConversation(found);
  }

  @Get('receipts/:receipt')
  @Roles('integration', 'agent', 'supervisor', 'analyst')
  @ApiOperation({
    summary: 'What became of a delivery',
    description:
      'Asked on the heels of `accepted` it waits up to 5 s for the contact to be recorded. 404 says that nobody was given this receipt.',
  })
  @ApiOkResponse({ type: ReceiptDto })
  @ApiResponse({
    status: 503,
    description: 'Unknown, or not recorded yet (`RECEIPT.NOT_KNOWN_YET`): ask again after Retry-After.',
  })
  receipt(@CurrentCaller() caller: Caller, @Param('receipt') receipt: string): Promise<ReceiptDto> {
    return this.queries.execute(new GetReceiptQuery(caller.tenant, receipt));
  }
}

const page = (query: RawQuery, { pii }: Caller) => ({
  ...pageBounds(query),
  // Nothing is read that would not be shown.
  body: oneOf(query, 'include', ['body']) !== undefined && pii,
});
