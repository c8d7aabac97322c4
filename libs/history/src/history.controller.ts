import { Readable } from 'node:stream';
import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiTags } from '#libs/kernel/api-docs.js';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, Roles, type Caller } from '#libs/access';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { REASON_HEADER, Reasons } from '#libs/access/trail/reasons.js';
import { EventStore } from '#libs/event-store';
import { HubError, isUuid } from '#libs/kernel';
import { CustomerIdentities } from './customer-identities.port.js';
import { parseHistoryFilter, wholeNumber, type HistoryFilter } from './history-filter.js';
import { historyLine, maskedLine } from './history-line.js';
import type { HistoryLog, HistoryRow } from './history-log.js';
import { readHistory, spanOf, type HistorySpan } from './read-history.js';

const PARAMETERS = {
  from: 'Recorded at or after: `2025-03-02T09:15:00Z`, or `2025-03-02` for its midnight in UTC.',
  to: 'Recorded before.',
  position: 'First position included; to go on, the last one received plus 1.',
  toPosition: 'Last position included. Default: the newest when the request arrives, in the header `hilo-head`.',
  types: 'Event types, comma-separated.',
  channels: 'Channels of contacts, comma-separated; events without a channel are left out.',
  customer: 'Any id of a customer.',
  limit: 'Most events to answer with, at least 1. Default: all.',
} as const;

type HistoryQuery = Partial<Record<keyof typeof PARAMETERS, string>>;

const described = (name: keyof typeof PARAMETERS) =>
  ApiQuery({ name, required: false, type: String, description: PARAMETERS[name] });

/** The log over HTTP, for analysts. */
@ApiTags('history')
@Controller('v1/history')
export class HistoryController {
  constructor(
    private readonly store: EventStore,
    private readonly customers: CustomerIdentities,
    private readonly trail: AccessTrail,
    private readonly reasons: Reasons,
  ) {}

  /** The tenant's events in order as NDJSON, masked where the caller lacks the scope `pii`, as fast as the client reads and no longer than it listens. */
  @Get('events')
  @Roles('analyst', 'admin')
  @ApiOperation({ summary: 'Stream recorded events in order, one JSON object a line' })
  @ApiProduces('application/x-ndjson')
  @ApiOkResponse({ description: 'Lines of {position, stream, revision, id, type, schema, tenant, recordedAt, data}' })
  @described('from')
  @described('to')
  @described('position')
  @described('toPosition')
  @described('types')
  @described('channels')
  @described('customer')
  @described('limit')
  @ApiHeader({ name: REASON_HEADER, required: false, description: 'With `customer`: code of the reason' })
  async events(
    @CurrentCaller() caller: Caller,
    @Query() query: Record<string, unknown>,
    @Headers(REASON_HEADER) why: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const given = readQuery(query);
    const limit = given.limit === undefined ? Infinity : wholeNumber('limit', given.limit, 1);
    // Everybody's history is no look at anybody; one customer's is.
    const reason = given.customer === undefined ? undefined : this.reasons.of(caller, why);
    const filter = await this.filterFor(caller.tenant, given);
    if (given.customer !== undefined) this.trail.viewed(caller, { customer: given.customer, saw: 'history', reason });
    const span = await spanOf(this.store, filter);
    const gone = new AbortController();
    const lines = Readable.from(
      linesOf(this.store, span, filter, limit, caller.pii ? historyLine : maskedLine, gone.signal),
      { objectMode: false },
    );
    // Destroying a generator that is waiting for a batch ends it only after that batch; the signal says the same at once.
    reply.raw.once('close', () => gone.abort());
    // Not awaited: a client that leaves is no failure of the request.
    void reply
      .header('content-type', 'application/x-ndjson; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('hilo-head', String(span.through))
      .send(lines);
  }

  private async filterFor(
    tenant: string,
    { position, customer, limit: _, ...rest }: HistoryQuery,
  ): Promise<HistoryFilter> {
    const filter = parseHistoryFilter(
      { ...rest, ...(position !== undefined && { fromPosition: position }) },
      { fromPosition: 'position' },
    );
    filter.tenant = tenant;
    if (!customer) return filter;
    const ids = isUuid(customer) ? await this.customers.idsInHistory(tenant, customer) : undefined;
    if (ids === undefined)
      throw new HubError('HISTORY.NOT_FOUND', 'customer: no customer has this id; find one by an identifier first');
    filter.customer = new Set(ids);
    return filter;
  }
}

const readQuery = (query: Record<string, unknown>): HistoryQuery => {
  const given: HistoryQuery = {};
  for (const [name, value] of Object.entries(query)) {
    const known = (Object.keys(PARAMETERS) as (keyof HistoryQuery)[]).find((parameter) => parameter === name);
    const refuse = (problem: string, fix: string): HubError =>
      new HubError('HISTORY.INVALID', `${name.slice(0, 60)}: ${problem}; ${fix}`, {
        facts: { option: name.slice(0, 60) },
      });
    if (known === undefined) throw refuse('no such parameter', `use ${Object.keys(PARAMETERS).join(', ')}`);
    if (typeof value !== 'string') throw refuse('given more than once', 'give it once, a list comma-separated');
    if (value !== '') given[known] = value;
  }
  return given;
};

async function* linesOf(
  log: HistoryLog,
  span: HistorySpan,
  filter: HistoryFilter,
  limit: number,
  line: (row: HistoryRow) => string,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  let left = limit;
  for await (const { rows } of readHistory(log, span, { filter, signal })) {
    if (rows.length > 0) yield rows.slice(0, left).map(line).join('');
    left -= rows.length;
    if (left <= 0) return;
  }
}
