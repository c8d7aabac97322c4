import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiTags } from '#libs/kernel/api-docs.js';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, Roles, type Caller } from '#libs/access';
import { DIRECTIONS, INTERACTION_KINDS } from '#libs/kernel';
import { AS_OF, AsOfQueries } from './as-of/as-of.docs.js';
import { AsOfReader } from './as-of/as-of-reader.js';
import { ConversationDto, GetConversationQuery } from './conversations/get-conversation.handler.js';
import { CustomerDirectory } from './customers/customer-directory.js';
import { CustomerDto, CustomerListDto } from './customers/customer.dto.js';
import { FindCustomersQuery } from './customers/find-customers.handler.js';
import { GetCustomerQuery } from './customers/get-customer.handler.js';
import { GetInteractionQuery, InteractionDto } from './interactions/get-interaction.handler.js';
import { GetReceiptQuery, ReceiptDto } from './receipts/get-receipt.handler.js';
import { invalidQuery } from './shared/cursor.js';
import { Freshness } from './shared/freshness.js';
import {
  directions,
  eitherInstant,
  kinds,
  oneOf,
  onlyParameters,
  several,
  single,
  whole,
  type RawQuery,
} from './shared/parameters.js';
import { GetTimelineQuery } from './timeline/get-timeline.handler.js';
import { LiveTimelines } from './timeline/live-timelines.js';
import { TimelinePageDto } from './timeline/timeline.dto.js';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;

/** What agents ask. Another tenant's ids answer as unknown ones do. */
@ApiTags('timeline')
@ApiBearerAuth()
@Controller('v1')
export class QueriesController {
  constructor(
    private readonly queries: QueryBus,
    private readonly customers: CustomerDirectory,
    private readonly live: LiveTimelines,
    private readonly freshness: Freshness,
    private readonly asOf: AsOfReader,
  ) {}

  @Get('customers')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'Customers known by an identifier, in any spelling' })
  @ApiQuery({ name: 'identifier', example: 'email:ana@example.com' })
  @ApiQuery({ name: 'atLeast', required: false, description: 'Wait until the read model shows this position' })
  @AsOfQueries()
  @ApiOkResponse({ type: CustomerListDto })
  async findCustomers(@CurrentCaller() caller: Caller, @Query() query: RawQuery): Promise<CustomerListDto> {
    onlyParameters(query, ['identifier', 'atLeast', ...AS_OF]);
    const identifier = single(query, 'identifier');
    if (identifier === undefined)
      throw invalidQuery('identifier', 'is missing', 'type:value is needed, for example email:ana@example.com');
    await this.freshness.atLeast(query);
    return this.queries.execute(new FindCustomersQuery(caller.tenant, identifier, await this.asOf.shown(query)));
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
  ): Promise<CustomerDto> {
    onlyParameters(query, ['atLeast', ...AS_OF]);
    await this.freshness.atLeast(query);
    return this.queries.execute(new GetCustomerQuery(caller.tenant, id, await this.asOf.shown(query)));
  }

  @Get('customers/:id/timeline')
  @Roles('agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'All contacts of a customer on all channels, newest first' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 100, default 50' })
  @ApiQuery({ name: 'before', required: false, description: 'Cursor: `next` of an earlier answer' })
  @ApiQuery({ name: 'after', required: false, description: 'Cursor: `previous` of an earlier answer' })
  @ApiQuery({ name: 'channel', required: false, description: 'One or more, by comma' })
  @ApiQuery({ name: 'kind', required: false, description: `Of ${INTERACTION_KINDS.join(', ')}` })
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
  ): Promise<TimelinePageDto> {
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
      ...page(query),
      channels: several(query, 'channel'),
      kinds: kinds(query),
      directions: directions(query),
      from: eitherInstant(query, 'from', 'occurredFrom'),
      to: eitherInstant(query, 'to', 'occurredTo'),
    };
    await this.freshness.atLeast(query);
    const asOf = await this.asOf.shown(query);
    return this.queries.execute(new GetTimelineQuery({ ...question, asOf }));
  }

  @Get('customers/:id/timeline/stream')
  @Roles('agent', 'supervisor')
  @ApiOperation({ summary: 'New and corrected contacts of a customer as server-sent events' })
  @ApiProduces('text/event-stream')
  async stream(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const customer = await this.customers.get(caller.tenant, id);
    const stream = await this.live.watch(
      customer,
      whole({ 'Last-Event-ID': lastEventId }, 'Last-Event-ID', 0, Number.MAX_SAFE_INTEGER),
    );
    await reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream);
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
  ): Promise<InteractionDto> {
    onlyParameters(query, AS_OF);
    return this.queries.execute(new GetInteractionQuery(caller.tenant, id, await this.asOf.read(query)));
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
  ): Promise<ConversationDto> {
    onlyParameters(query, ['limit', 'before', 'after', 'include', 'atLeast', ...AS_OF]);
    const question = { tenant: caller.tenant, id, ...page(query) };
    await this.freshness.atLeast(query);
    const asOf = await this.asOf.shown(query);
    return this.queries.execute(new GetConversationQuery({ ...question, asOf }));
  }

  @Get('receipts/:receipt')
  @Roles('integration', 'agent', 'supervisor', 'analyst')
  @ApiOperation({ summary: 'What became of a delivery' })
  @ApiOkResponse({ type: ReceiptDto })
  receipt(@CurrentCaller() caller: Caller, @Param('receipt') receipt: string): Promise<ReceiptDto> {
    return this.queries.execute(new GetReceiptQuery(caller.tenant, receipt));
  }
}

const page = (query: RawQuery) => {
  const [before, after] = [single(query, 'before'), single(query, 'after')];
  if (before !== undefined && after !== undefined)
    throw invalidQuery('after', 'stands beside before', 'give one of them');
  return {
    limit: whole(query, 'limit', 1, MAX_PAGE) ?? DEFAULT_PAGE,
    before,
    after,
    body: oneOf(query, 'include', ['body']) !== undefined,
  };
};
