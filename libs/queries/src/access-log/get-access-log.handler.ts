import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { HubError, bytesOfUuid } from '#libs/kernel';
import { ReadModel } from '#libs/projections';
import { CustomerDirectory } from '../customers/customer-directory.js';
import { invalidQuery } from '../shared/cursor.js';
import { accessEntries, showAccess } from './access-entries.js';
import { AccessLogEntryDto } from './access-log-entry.dto.js';

/** A page, newest first. */
export class AccessLogDto {
  @ApiProperty({ type: [AccessLogEntryDto] })
  items!: AccessLogEntryDto[];
  @ApiPropertyOptional({ type: String, description: 'Give as `before` for the older page' })
  next?: string;
}

export class GetAccessLogQuery extends Query<AccessLogDto> {
  constructor(
    readonly tenant: string,
    readonly customer: string,
    /** 1 to 100. */
    readonly limit: number,
    readonly before: string | undefined,
  ) {
    super();
  }
}

/** Who looked at a customer, by whatever of its ids, in the order in which it was written down. */
@QueryHandler(GetAccessLogQuery)
export class GetAccessLogHandler implements IQueryHandler<GetAccessLogQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly customers: CustomerDirectory,
  ) {}

  async execute({ tenant, customer, limit, before }: GetAccessLogQuery): Promise<AccessLogDto> {
    // Of an erased one it stays known who had looked.
    const ids = await this.customers.identitiesOf(tenant, customer);
    if (!ids) throw new HubError('CUSTOMER.NOT_FOUND', 'no customer has this id');
    let page = accessEntries(this.readModel.db)
      .where('identity.id', 'in', ids.map(bytesOfUuid))
      .limit(limit + 1);
    if (before !== undefined) page = page.where('position', '<', positionOf(before));
    const found = await page.execute();
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return {
      items: rows.map(showAccess),
      ...(last && found.length > limit ? { next: cursorOf(last.position) } : {}),
    };
  }
}

const cursorOf = (position: number): string => Buffer.from(`a.${position}`).toString('base64url');

const positionOf = (cursor: string): number => {
  const match = /^a\.(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match)
    throw invalidQuery('before', 'is not a cursor of this API', 'pass on `next` of an earlier answer unchanged');
  return Number(match[1]);
};
